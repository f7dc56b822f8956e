import { textOf, type Value } from './value.ts'

const VERB = /%([-+ 0#]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g

/** Go's fmt.Sprintf, for what templates have: `%s %v %q %d %x %t %f %c %%`, with widths. */
export function formatted(format: string, args: readonly Value[]): string {
  let next = 0
  return format.replaceAll(VERB, (_, flags: string, width = '0', precision, verb: string) => {
    if (verb === '%') return '%'
    const value = args[next++]
    if (value === undefined) return `%!${verb}(MISSING)`
    const text = printedAs(verb, value, precision === undefined ? undefined : Number(precision))
    if (flags.includes('-')) return text.padEnd(Number(width))
    return text.padStart(Number(width), flags.includes('0') && verb !== 's' ? '0' : ' ')
  })
}

function printedAs(verb: string, value: Value, precision: number | undefined): string {
  switch (verb) {
    case 'q':
      return JSON.stringify(textOf(value))
    case 'f':
      return Number(value).toFixed(precision ?? 6)
    case 'x':
      return typeof value === 'number'
        ? value.toString(16)
        : Buffer.from(textOf(value)).toString('hex')
    case 'c':
      return String.fromCodePoint(Number(value))
    case 's':
      return textOf(value).slice(0, precision)
    default:
      return textOf(value)
  }
}
