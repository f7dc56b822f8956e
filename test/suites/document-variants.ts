import { isJsonObject, type Json, type JsonObject } from '#core'

/** The way to a value in a document. */
export type Path = readonly (number | string)[]

/** Every object of a document, itself included, with the way to it. */
export function objectsOf(value: Json, path: Path = []): readonly (readonly [Path, JsonObject])[] {
  const own = isJsonObject(value) ? [[path, value] as const] : []
  return [...own, ...childrenOf(value).flatMap(([key, child]) => objectsOf(child, [...path, key]))]
}

/** The way to everything in a document that is not the document. */
export function placesOf(value: Json, path: Path = []): readonly Path[] {
  return childrenOf(value).flatMap(([key, child]) => {
    const place = [...path, key]
    return [place, ...placesOf(child, place)]
  })
}

/** The document with another value in a place; `undefined`: without the place. */
export function withPlace(document: Json, [key, ...rest]: Path, value: Json | undefined): Json {
  if (key === undefined) return value ?? null
  const children = childrenOf(document).flatMap(([name, child]) => {
    if (name !== key) return [[name, child] as const]
    const changed = rest.length > 0 ? withPlace(child, rest, value) : value
    return changed === undefined ? [] : [[name, changed] as const]
  })
  if (Array.isArray(document)) return children.map(([, child]) => child)
  return Object.fromEntries(children)
}

const MARK = '@mark'

/** The text of the document, with `member` written into the object at `path` as it is. */
export function textWith(document: Json, path: Path, member: string): string {
  const target = objectsOf(document).find(([at]) => at.join() === path.join())?.[1]
  const marked = { ...target, [MARK]: 0 }
  const changed = path.length === 0 ? marked : withPlace(document, path, marked)
  return JSON.stringify(changed).replace(`"${MARK}":0`, () => member)
}

/** Other spellings that Go takes for the key. */
export function spellingsOf(key: string): readonly string[] {
  const spellings = [
    key.toUpperCase(),
    key.toLowerCase(),
    key.replace(/[a-z]/i, (letter) =>
      letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
    ),
    key.replace(/s/i, 'ſ'),
    key.replace(/k/i, '\u212a'),
  ]
  return [...new Set(spellings)].filter((spelling) => spelling !== key)
}

function childrenOf(value: Json): readonly (readonly [number | string, Json])[] {
  if (Array.isArray(value)) return value.map((child: Json, index) => [index, child] as const)
  return isJsonObject(value) ? Object.entries(value) : []
}
