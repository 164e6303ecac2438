// What one layer cannot learn. A perceptron (Rosenblatt, 1958) parts the plane by a line: enough for
// AND and OR, but no line parts the ones of XOR from its zeros (Minsky and Papert, 1969). A hidden
// layer bends the line.
//
//     npm run example:gates

import { F, manualSeed, type Tensor, tensor } from 'heed'
import { Linear, MLP } from 'heed/nn'
import { Adam } from 'heed/optim'

const STEPS = 300
const inputs = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]
const gates = { AND: [0, 0, 0, 1], OR: [0, 1, 1, 1], XOR: [0, 1, 1, 0] }
const networks = {
  'one layer': () => new Linear(2, 1),
  'one hidden layer': () => new MLP({ sizes: [2, 8, 1], activation: 'tanh' }),
}

manualSeed(1)
console.log(
  row(
    '',
    '',
    inputs.map((pair) => pair.join(' ')),
  ),
)
for (const [gate, outputs] of Object.entries(gates)) {
  console.log()
  console.log(row(gate, 'wanted', outputs.map(String)))
  for (const [name, make] of Object.entries(networks)) {
    const learned = await learn(make(), outputs)
    const right = outputs.every((wanted, i) => Math.abs(learned[i] - wanted) < 0.1)
    const verdict = right ? 'learned' : 'not learned'
    console.log(
      row(
        '',
        name,
        learned.map((p) => p.toFixed(2)),
        verdict,
      ),
    )
  }
}

/** Trains the network on the four pairs; the probabilities that it gives them in the end. */
async function learn(network: Linear | MLP, outputs: number[]): Promise<number[]> {
  const x = tensor(inputs)
  const wanted = tensor(outputs)
  const logits = (): Tensor => network.forward(x).squeeze(-1)
  const optimizer = new Adam(network.parameters(), { lr: 0.1 })
  for (let step = 0; step < STEPS; step++) {
    F.bceWithLogits(logits(), wanted).backward()
    await optimizer.step()
  }
  return Array.from(await logits().sigmoid().data())
}

function row(gate: string, name: string, cells: string[], verdict = ''): string {
  const columns = cells.map((cell) => cell.padStart(7)).join('')
  return `${gate.padEnd(5)}${name.padEnd(17)}${columns}   ${verdict}`.trimEnd()
}
