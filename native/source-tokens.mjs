// What a compiler makes of a C++ file: its tokens, without comments and layout. Two files with the same tokens give the
// same machine code, so builds are keyed by them and a changed comment builds nothing again.

const comment = /\/\/(?:\\\n|[^\n])*|\/\*[\s\S]*?\*\//
const literal = /"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'/
const word = /[\p{ID_Start}\p{ID_Continue}\d.]+/u
const operator = /<<=|>>=|\.\.\.|->\*|::|->|\+\+|--|<<|>>|[-+*/%&|^<>=!]=|&&|\|\||##|\S/
const part = new RegExp([comment, literal, word, operator].map((x) => x.source).join('|'), 'gu')
const directive = /^[ \t]*#(?:\\\n|[^\n])*/gm

/** The tokens of a file, one on each line; a directive is one token. */
export function sourceTokens(text) {
  const tokens = []
  let end = 0
  // Comments go first, because a directive may end with one; a string may hold the signs of a comment.
  const bare = text.replace(part, (token) => (/^\/[/*]/.test(token) ? ' ' : token))
  for (const { 0: line, index } of bare.matchAll(directive)) {
    tokens.push(...(bare.slice(end, index).match(part) ?? []))
    tokens.push(line.replace(/\\\n/g, ' ').replace(/\s+/g, ' ').trim())
    end = index + line.length
  }
  tokens.push(...(bare.slice(end).match(part) ?? []))
  return tokens.join('\n')
}
