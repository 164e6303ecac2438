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
    text: 'Guides',
    items: [
      { text: 'Your own model and training loop', link: '/guides/training-loop' },
      { text: 'Layers, losses and model families', link: '/guides/layers-and-models' },
      { text: 'Optimisers and schedules', link: '/guides/optimizers' },
      { text: 'Fine-tuning a classifier', link: '/guides/fine-tuning' },
      { text: 'Generating text', link: '/guides/generation' },
      { text: 'Embeddings and search', link: '/guides/search' },
      { text: 'Images', link: '/guides/images' },
      { text: 'Text data and tokenizers', link: '/guides/text-data' },
      { text: 'Evaluation and metrics', link: '/guides/evaluation' },
      { text: 'Express, Hono, Next and plain Node', link: '/guides/web-frameworks' },
      { text: 'Memory and devices', link: '/guides/memory-and-devices' },
      { text: 'Saving and loading', link: '/guides/saving' },
      { text: 'Looking inside a model', link: '/guides/looking-inside' },
      { text: 'Finding NaN, profiling, memory', link: '/guides/debugging' },
      { text: 'Readers, tasks, operations and kernels', link: '/guides/extending' },
    ],
  },
  {
    text: 'Coming from',
    items: [
      { text: 'PyTorch', link: '/coming-from/pytorch' },
      { text: 'transformers.js', link: '/coming-from/transformers-js' },
      { text: 'nanoGPT', link: '/coming-from/nanogpt' },
    ],
  },
  {
    text: 'The transformer, part by part',
    items: [
      { text: 'Overview', link: '/chapters/' },
      { text: '1. The perceptron', link: '/chapters/1-perceptron' },
      { text: '2. The recurrent network', link: '/chapters/2-rnn' },
      { text: '3. Attention', link: '/chapters/3-attention' },
      { text: '4. The Transformer', link: '/chapters/4-transformer' },
      { text: '5. BERT', link: '/chapters/5-bert' },
      { text: '6. GPT', link: '/chapters/6-gpt' },
      { text: '7. T5', link: '/chapters/7-t5' },
      { text: '8. ViT', link: '/chapters/8-vit' },
    ],
  },
  {
    text: 'How it works',
    items: [
      { text: 'The lazy graph', link: '/how-it-works/lazy-graph' },
      { text: 'Gradients', link: '/how-it-works/gradients' },
      { text: 'Versions and stale tensors', link: '/how-it-works/versions' },
      { text: 'Held programs', link: '/how-it-works/held-programs' },
      { text: 'The memory plan', link: '/how-it-works/memory-plan' },
      { text: 'Determinism', link: '/how-it-works/determinism' },
      { text: 'Tokenizers', link: '/how-it-works/tokenizers' },
      { text: 'Generation', link: '/how-it-works/generation' },
    ],
  },
  {
    text: 'Reference',
    items: [
      { text: 'API', link: '/reference/api/' },
      { text: 'Commands', link: '/reference/commands' },
      { text: 'Models', link: '/reference/models' },
      { text: 'Environment variables', link: '/reference/environment' },
      { text: 'Files of a training run', link: '/reference/files' },
      { text: 'Error codes', link: '/reference/errors' },
      { text: 'Glossary', link: '/glossary' },
      { text: 'Keys of config.json', link: '/config-keys' },
      { text: 'Keys of generation_config.json', link: '/generation-config' },
    ],
  },
]
