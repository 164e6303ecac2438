// The command line from its sources, as bin/heed.js runs it from the build.
import { run } from '../../src/cli/main.ts'

await run(process.argv)
