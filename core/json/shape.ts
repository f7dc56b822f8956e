import type { Json } from './json.ts'
import type { JsonCursor } from './json-cursor.ts'

/** What a place in a document may hold. */
export interface Shape<T> {
  /** What null stands for in a list or a map; for a field it stands for absent. */
  readonly empty: T
  /** Reads what comes next and is not null. @throws {JsonProblem} */
  readonly read: (cursor: JsonCursor) => T
}

/** What a shape reads. */
export type Shaped<S> = S extends Shape<infer T> ? T : never

type Fields = Readonly<Record<string, Shape<unknown>>>
type ObjectOf<F extends Fields> = { readonly [K in keyof F]?: Shaped<F[K]> }

const string: Shape<string> = { empty: '', read: (cursor) => cursor.string() }

const boolean: Shape<boolean> = { empty: false, read: (cursor) => cursor.boolean() }

/** A number that is written as Go writes integers, and held exactly. */
const integer: Shape<number> = {
  empty: 0,
  read: (cursor) => {
    const text = cursor.number()
    const value = Number(text)
    const isExact = Number.isInteger(value) && String(value) === text
    if (isExact && Math.abs(value) < 2 ** 63) return value
    throw cursor.problem('is not an integer')
  },
}

const any: Shape<Json> = {
  empty: null,
  read: (cursor) => {
    switch (cursor.first) {
      case '{':
        return anyMap.read(cursor)
      case '[':
        return anyList.read(cursor)
      case '"':
        return cursor.string()
      case 't':
      case 'f':
        return cursor.boolean()
      default:
        return Number(cursor.number())
    }
  },
}

function list<T>(shape: Shape<T>): Shape<readonly T[]> {
  return {
    empty: [],
    read: (cursor) => {
      const found: T[] = []
      cursor.elements(() => found.push(cursor.read(shape.read) ?? shape.empty))
      return found
    },
  }
}

/** An object whose keys are data: every key counts as it is written. */
function map<T>(shape: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return {
    empty: {},
    read: (cursor) => {
      const found: [string, T][] = []
      cursor.members((key) => found.push([key, cursor.read(shape.read) ?? shape.empty]))
      return Object.fromEntries(found)
    },
  }
}

const anyList = list(any)
const anyMap = map(any)

/**
 * An object of fixed fields; others are read and ignored, as in Go. Go accepts a field under every
 * spelling that differs in case only, and other programs do not: such a spelling is refused.
 */
function object<F extends Fields>(fields: F): Shape<ObjectOf<F>> {
  const names = new Map(Object.keys(fields).map((name) => [folded(name), name]))
  return {
    empty: {},
    read: (cursor) => {
      const found: Record<string, unknown> = {}
      cursor.members((key) => {
        const name = names.get(folded(key))
        if (name === undefined) cursor.read(any.read)
        else if (name !== key) throw cursor.problem(`is another spelling of ${name}`)
        else setField(found, name, cursor.read((fields[name] ?? any).read))
      })
      return found as ObjectOf<F>
    },
  }
}

/** The same, with the text that it was read from. */
function withText<T>(shape: Shape<T>): Shape<{ readonly value: T; readonly text: string }> {
  return {
    empty: { value: shape.empty, text: 'null' },
    read: (cursor) => {
      const start = cursor.position
      const value = shape.read(cursor)
      return { value, text: cursor.textSince(start) }
    },
  }
}

function setField(found: Record<string, unknown>, name: string, value: unknown): void {
  if (value !== undefined) found[name] = value
}

/**
 * Equal for names that Unicode's simple case folding makes equal, if one of them is ASCII. Two other
 * characters fold to ASCII: the long s, and the Kelvin sign, whose lower case is k.
 */
function folded(name: string): string {
  return name.toLowerCase().replaceAll('ſ', 's')
}

/** The shapes that documents are described with. */
export const shapes: {
  readonly any: typeof any
  readonly boolean: typeof boolean
  readonly integer: typeof integer
  readonly list: typeof list
  readonly map: typeof map
  readonly object: typeof object
  readonly string: typeof string
  readonly withText: typeof withText
} = { any, boolean, integer, list, map, object, string, withText }
