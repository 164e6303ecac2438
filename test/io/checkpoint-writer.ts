// Saves checkpoints of one run without end, until it is killed. Every file of step n holds n.
import { latestCheckpoint, saveCheckpoint } from '../../src/io/files/checkpoint.ts'
import { writeSafetensors } from '../../src/io/safetensors/safetensors.ts'

const runDir = process.argv[2]
const filled = (step: number) => async (path: string) => {
  const data = new Float32Array(3000).fill(step)
  await writeSafetensors(path, [{ name: 'w', dtype: 'f32', shape: [3000], data }])
}

let step = (await latestCheckpoint(runDir))?.step ?? 0
process.stdout.write('ready\n')
for (;;) {
  step++
  await saveCheckpoint(runDir, step, {
    'model.safetensors': filled(step),
    'optimizer.safetensors': filled(step),
    'trainer_state.json': JSON.stringify({ step }),
  })
  process.stdout.write(`${step}\n`)
}
