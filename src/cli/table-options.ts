import { Option } from 'commander'

/** The flags of commands that read tables. */
export const tableOptions = (): Option[] => [
  new Option(
    '--separator <character>',
    'separator of tables, such as ; or tab (default: detected)',
  ),
  new Option('--quote <character>', 'quote character of tables, or none (default: detected)'),
  new Option(
    '--encoding <name>',
    'encoding of text files, such as windows-1252 (default: UTF-8, or UTF-16 with a byte-order mark)',
  ),
]

export interface TableFlags {
  separator?: string
  quote?: string
  encoding?: string
}

/** Picks these flags, as options of `openRows`. */
export const tableFlags = ({ separator, quote, encoding }: TableFlags): TableFlags => ({
  separator,
  quote,
  encoding,
})
