import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../../native/compile.mjs'

const sources = ['test/native/processor.cc', 'kernels/cpp/processor.cc']

/**
 * The path of a program that prints two lines: the instruction sets of the processor as the kernels detect them, and as
 * the compiler's library does. Null without a compiler.
 */
export function buildProcessorProgram(folder: string): string | null {
  const path = join(folder, 'processor')
  for (const compiler of [process.env.CXX, 'g++', 'clang++'])
    try {
      if (!compiler) continue
      execFileSync(compiler, ['-std=c++17', '-iquotekernels/cpp', ...sources, '-o', path], { cwd: root, stdio: 'pipe' }) // biome-ignore format: one line
      return path
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  return null
}
