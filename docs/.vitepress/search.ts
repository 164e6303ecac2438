// The search of the site: MiniSearch ranks the headings of all pages in the browser. test/docs/search.test.ts asks it
// questions. VitePress writes the functions into the site as text, so they use nothing outside of them.

/** Passed to MiniSearch when the index is built and when it is read. */
export const miniSearch = {
  options: {
    /** `crossEntropy` and `cross-entropy` are found as a whole and by their words. */
    tokenize(text: string): string[] {
      const names = text.match(/[\p{L}\p{N}]+(?:[_-][\p{L}\p{N}]+)*/gu) ?? []
      return names.flatMap((name) => {
        const words = name.split(/[_-]|(?<=[a-z0-9])(?=[A-Z])/)
        return words.length > 1 ? [words.join(''), ...words] : words
      })
    },
    /** Words in questions that say nothing about the page are ignored. */
    processTerm(term: string): string | null {
      const word = term.toLowerCase()
      return /^(?:a|an|and|are|can|do|does|for|how|i|in|is|it|my|of|on|the|to|what|why|with|you)$/.test(word) ? null : word // biome-ignore format: one line
    },
  },
  searchOptions: {
    // Short words are names (GRU, GPU), not misspelt ones.
    fuzzy: (term: string): number | false => (term.length > 4 ? 0.2 : false),
    prefix: (term: string): boolean => term.length > 2,
    boost: { title: 4, text: 2, titles: 1 },
    // A guide says more about a question than a signature.
    boostDocument: (id: string): number => (id.startsWith('/reference/api/') ? 0.5 : 1),
  },
}

/** Renders a page for the index. Signatures and tables of the API reference would be most of it. */
export function renderForSearch(
  source: string,
  env: { relativePath: string; frontmatter?: { search?: boolean } },
  md: { render(source: string, env: object): string; options: { highlight?: unknown } },
): string {
  md.options.highlight = null // this renderer is for the index only, which has no colours
  const html = md.render(source, env)
  if (env.frontmatter?.search === false) return ''
  const isApi = env.relativePath.startsWith('reference/api/')
  return isApi ? html.replaceAll(/<pre.*?<\/pre>|<table.*?<\/table>/gs, '') : html
}
