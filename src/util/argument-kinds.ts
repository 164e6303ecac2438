import { type ArgumentKind, wrongArgument } from './check-argument.ts'
import { OptionRules, type Rule, ruleOf } from './options.ts'

/** Check for an argument: a kind, with `?` if the argument is optional; a rule; or the rules of options. */
export type ArgumentRule =
  | ArgumentKind
  | `${ArgumentKind}?`
  | `${ArgumentKind}|null?`
  | Rule
  | OptionRules

/**
 * Compiles a check for the arguments of a function, in order: `const check = argumentKinds('bleu', { hypotheses:
 * 'texts', references: 'list', options: BLEU })`. Call it with the arguments; it throws a HeedError for the first
 * invalid one.
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
