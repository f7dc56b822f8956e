import { isJsonObject, type Json } from '#core'

/** A document of the API, or a part of one. */
export type Fields = { readonly [name: string]: Json }

/** The fields of a document; none where it is not one. */
export function objectOf(value: Json | undefined): Fields {
  return isJsonObject(value) ? value : {}
}

/** The documents of a list; none where it is not one. */
export function objectsOf(value: Json | undefined): readonly Fields[] {
  return (Array.isArray(value) ? value : []).map(objectOf)
}
