// The tokens of a C++ file, without comments and layout. Files with the same tokens give the same machine code, so they
// are the key of a build, and a changed comment does not cause a new one.

const comment = /\/\/(?:\\\n|[^\n])*|\/\*[\s\S]*?\*\//
const literal = /"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'/
const word = /[\p{ID_Start}\p{ID_Continue}\d.]+/u
const operator = /<<=|>>=|\.\.\.|->\*|::|->|\+\+|--|<<|>>|[-+*/%&|^<>=!]=|&&|\|\||##|\S/
const part = new RegExp([comment, literal, word, operator].map((x) => x.source).join('|'), 'gu')
const directive = /^[ \t]*#(?:\\\n|[^\n])*/gm

/** Returns the tokens of a file, one on each line. A directive is one token. */
export function sourceTokens(text) {
  const tokens = []
  let end = 0
  // Remove comments first, because a directive may end with one. Strings may contain comment markers.
  const bare = text.replace(part, (token) => (/^\/[/*]/.test(token) ? ' ' : token))
  for (const { 0: line, index } of bare.matchAll(directive)) {
    tokens.push(...(bare.slice(end, index).match(part) ?? []))
    tokens.push(line.replace(/\\\n/g, ' ').replace(/\s+/g, ' ').trim())
    end = index + line.length
  }
  tokens.push(...(bare.slice(end).match(part) ?? []))
  return tokens.join('\n')
}
