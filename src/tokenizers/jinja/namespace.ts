import { fail } from './failure.ts'
import { TemplateObject, type Value } from './objects.ts'
import { quoted } from './repr.ts'

/** `namespace(count=0)`: an object whose attributes can also be set inside loops. */
export class Namespace extends TemplateObject {
  readonly typeName = 'TemplateNamespace'
  override readonly module = 'transformers.utils.chat_template_utils'
  private readonly attributes = new Map<string, Value>()

  set(name: string, value: Value): void {
    if (name.startsWith('_'))
      fail(
        'SecurityError',
        `Chat templates cannot store underscore-prefixed attributes on a namespace, but got ${quoted(name)}. Please rename the attribute.`,
      )
    this.attributes.set(name, value)
  }

  override contents(): Iterable<Value> {
    return this.attributes.values()
  }

  override attribute(name: string): Value | undefined {
    return this.attributes.get(name)
  }

  override repr(nested: (value: Value) => string): string {
    const items = Array.from(
      this.attributes,
      ([name, value]) => `${quoted(name)}: ${nested(value)}`,
    )
    return `<Namespace {${items.join(', ')}}>`
  }
}
