import { describe, expect, it } from 'vitest'
import { shellWord } from '../../src/util/shell.ts'

// What a POSIX shell makes of the words is tested in test/cli/pasted.test.ts.
describe('a word for cmd and PowerShell', () => {
  it.each([
    ['plain', 'plain'],
    ['runs\\spam', 'runs\\spam'],
    ['C:\\runs\\spam', 'C:\\runs\\spam'],
    ['C:/runs/spam', 'C:/runs/spam'],
    ['two words', '"two words"'],
    ["it's", '"it\'s"'],
    ['\\\\server\\share\\a b', '"\\\\server\\share\\a b"'],
    ['a;b&c|d', '"a;b&c|d"'],
    ['a,b', '"a,b"'],
    ['@list', '"@list"'],
    ['(x)', '"(x)"'],
    ['-dash', './-dash'],
    ['', '""'],
  ])('%j', (text, word) => expect(shellWord(text, true)).toBe(word))
})
