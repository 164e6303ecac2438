// Chat templates for base models, whose tokenizers have none.
import { readFile, stat } from 'node:fs/promises'
import { isFile } from '../../io/files/is-file.ts'
import { argumentKinds } from '../../util/argument-kinds.ts'
import { HeedError } from '../../util/errors.ts'
import { unknownName } from '../../util/registry.ts'
import { Tokenizer } from '../tokenizer.ts'
import { addSpecialTokens } from './add-special-tokens.ts'

/** The prompt of ChatML, used by Qwen, SmolLM2 and others. */
const CHATML = `{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`

/** The prompt of Llama 3. */
const LLAMA3 = `{% for message in messages %}{{ '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' + (message.content | trim) + '<|eot_id|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}`

/**
 * The two prompts of Alpaca (Taori et al., 2023), with an input and without. A message of the user may have the keys
 * `instruction` and `input`; otherwise its content is the instruction. A system message replaces the first paragraph.
 */
const ALPACA = `{% if messages[0].role == 'system' %}{{ messages[0].content }}{% elif messages[0].input %}{{ 'Below is an instruction that describes a task, paired with an input that provides further context. Write a response that appropriately completes the request.' }}{% else %}{{ 'Below is an instruction that describes a task. Write a response that appropriately completes the request.' }}{% endif %}{% for message in messages %}{% if message.role == 'user' %}{{ '\\n\\n### Instruction:\\n' + (message.instruction or message.content) }}{% if message.input %}{{ '\\n\\n### Input:\\n' + message.input }}{% endif %}{% elif message.role == 'assistant' %}{{ '\\n\\n### Response:' + message.content + eos_token }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '\\n\\n### Response:' }}{% endif %}`

const templates: ReadonlyMap<string, string> = new Map([
  ['chatml', CHATML],
  ['llama3', LLAMA3],
  ['alpaca', ALPACA],
])

const checkTemplate = argumentKinds('withChatTemplate', {
  tokenizer: 'tokenizer',
  template: 'text',
})

/**
 * Gives a tokenizer a chat template: chatml, llama3, alpaca, or a file with a Jinja template. Tokens of the template,
 * written `<|name|>`, that the vocabulary lacks are added to it as special tokens, and the token that ends a turn becomes
 * the end-of-text token. The text of a conversation begins with the token that the tokenizer puts before texts, if any.
 * @returns a new tokenizer; give the model rows for its new tokens with `resizeTokenEmbeddings`
 * @throws HeedError for an unknown name, a file that cannot be read, and a template that ends an answer without a special
 * token
 */
export async function withChatTemplate(tokenizer: Tokenizer, template: string): Promise<Tokenizer> {
  checkTemplate(tokenizer, template)
  const source = beginning(tokenizer) + (await sourceOf(template))
  const tokens = [...new Set(source.match(/<\|[^|<>\s]{1,40}\|>/g) ?? [])]
  const missing = tokens.filter((token) => tokenizer.tokenToId(token) === undefined)
  const extended =
    missing.length > 0 ? addSpecialTokens(tokenizer, { names: {}, additional: missing }) : tokenizer
  const { eosTokenId } = tokenizer
  const chat = configured(extended, {
    chat_template: source,
    ...(eosTokenId !== undefined && { eos_token: tokenizer.idToToken(eosTokenId) }), // GPT-2's config does not name it
  })
  const end = await chat.endOfTurn()
  if (end !== undefined) return configured(chat, { eos_token: chat.idToToken(end) })
  throw new HeedError(
    'unsupported',
    `The chat template must end each answer with a special token of the tokenizer, got ${template}`,
    {
      key: 'template',
      value: template,
      remedy:
        'Write the end of an answer as a special token such as <|im_end|>, or as {{ eos_token }} if the tokenizer has one; chatml adds its tokens.',
    },
  )
}

const configured = (tokenizer: Tokenizer, changes: object): Tokenizer =>
  Tokenizer.fromJSON(tokenizer.toJSON(), { ...tokenizer.config, ...changes })

/** The start of the template: the token before all texts, which encoding a conversation does not add. */
function beginning(tokenizer: Tokenizer): string {
  const [first] = tokenizer.encode('a')
  return first !== undefined && first === tokenizer.bosTokenId ? '{{ bos_token }}' : ''
}

async function sourceOf(template: string): Promise<string> {
  const known = templates.get(template)
  if (known !== undefined) return known
  const isPath = /[/\\.]/.test(template)
  if (!isPath) throw unknownName('chat template', template, [...templates.keys()])
  if (!(await isFile(template)))
    throw new HeedError('missing-file', `The chat template must be a file, got ${template}, which is not there`, {
      key: 'template',
      value: template,
      remedy: `Name a file with a Jinja template, or one of ${[...templates.keys()].join(', ')}.`,
    }) // biome-ignore format: one line
  const { size } = await stat(template)
  if (size > MOST_BYTES)
    throw new HeedError('invalid-option', `A chat template must have at most ${MOST_BYTES} bytes, got ${size} in ${template}`, {
      key: 'template',
      value: template,
      remedy: 'Name the file of a Jinja template.',
    }) // biome-ignore format: one line
  return readFile(template, 'utf8')
}

const MOST_BYTES = 1 << 18
