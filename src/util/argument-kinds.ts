import { type ArgumentKind, wrongArgument } from './check-argument.ts'
import { OptionRules, type Rule, ruleOf } from './options.ts'

/** What an argument must be: a kind, with `?` where it may be left out, a rule, or the rules of options. */
export type ArgumentRule =
  | ArgumentKind
  | `${ArgumentKind}?`
  | `${ArgumentKind}|null?`
  | Rule
  | OptionRules

/**
 * The arguments of a function in their order, compiled once: `const check = argumentKinds('bleu', { hypotheses:
 * 'texts', references: 'list', options: BLEU })`. The check is called with the arguments, and throws a HeedError for the
 * first that is of another kind.
 */
export function argumentKinds(
  owner: string,
  table: Readonly<Record<string, ArgumentRule>>,
): (...values: readonly unknown[]) => void {
  const rules = Object.entries(table).map(([name, rule]): [string, Rule | OptionRules] => [
    name,
    rule instanceof OptionRules ? rule : ruleOf(rule),
  ])
  return (...values) => {
    for (let i = 0; i < rules.length; i++) {
      const [name, rule] = rules[i]
      if (rule instanceof OptionRules) rule.check(owner, values[i])
      else if (!rule.fits(values[i])) throw wrongArgument(owner, name, values[i], rule.expected)
    }
  }
}
