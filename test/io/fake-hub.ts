// A hub on this machine for as long as a test.
import { onTestFinished } from 'vitest'
import { type FakeFile, type FakeHub, startHub } from './hub-server.ts'

export { COMMIT, type FakeFile, type FakeHub, sha256 } from './hub-server.ts'

export async function fakeHub(files: Record<string, string | FakeFile>): Promise<FakeHub> {
  const { hub, close } = await startHub(files)
  onTestFinished(close)
  return hub
}
