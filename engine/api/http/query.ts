import { TsbuildError } from '#core'
import { type Filters, parseFilters } from '#engine/model'

const FALSE = new Set(['', '0', 'no', 'false', 'none'])

/** The query of a request, with docker's rules of reading it. */
export class Query {
  readonly #values: URLSearchParams

  constructor(url: string) {
    const at = url.indexOf('?')
    this.#values = new URLSearchParams(at < 0 ? '' : url.slice(at + 1))
  }

  /** The first value; an empty one is absent. */
  text(name: string): string | undefined {
    const value = this.#values.get(name)
    return value === null || value === '' ? undefined : value
  }

  all(name: string): readonly string[] {
    return this.#values.getAll(name)
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  /** Whether it is set to anything but empty, `0`, `no`, `false` and `none`. */
  flag(name: string): boolean {
    const value = this.#values.get(name)
    return value !== null && !FALSE.has(value.trim().toLowerCase())
  }

  /** The same, where it is on unless it is switched off. */
  flagOrOn(name: string): boolean {
    return this.#values.has(name) ? this.flag(name) : true
  }

  /** @throws {TsbuildError} USAGE */
  integer(name: string): number | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    if (/^-?\d{1,15}$/.test(value)) return Number(value)
    throw new TsbuildError(
      `invalid ${name}: ${JSON.stringify(value.slice(0, 100))} is not a number`,
      {
        code: 'USAGE',
      },
    )
  }

  /** @param known names of filters that the route has; absent: others are left alone. @throws {TsbuildError} USAGE */
  filters(known?: readonly string[]): Filters {
    return parseFilters(this.text('filters'), known)
  }
}
