/** The pages of the site, in the order of the sidebar. */
export const navigation = [
  {
    text: 'Start',
    items: [
      { text: 'Installation', link: '/start/install' },
      { text: 'The first ten minutes', link: '/start/first-ten-minutes' },
    ],
  },
  {
    text: 'Reference',
    items: [
      { text: 'Glossary', link: '/glossary' },
      { text: 'Keys of config.json', link: '/config-keys' },
      { text: 'Keys of generation_config.json', link: '/generation-config' },
    ],
  },
]
