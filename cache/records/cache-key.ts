import { canonicalJson, digestOf, hexOf, type Json } from '#core'

declare const cacheKeyBrand: unique symbol

/** Names the result of a step: 64 lowercase hex digits over everything that decides the result. */
export type CacheKey = string & { readonly [cacheKeyBrand]: true }

/** Raised when the meaning of a key document changes: no older record is found any more. */
const FORMAT = 1

/** The key of a document; equal values give equal keys, whatever the order of their members. */
export function cacheKeyOf(document: Json): CacheKey {
  return hexOf(digestOf(canonicalJson(['tsbuild', FORMAT, document]))) as CacheKey
}

const CACHE_KEY = /^[0-9a-f]{64}$/

/** True for text from outside that can be a key. */
export function isCacheKey(text: string): text is CacheKey {
  return CACHE_KEY.test(text)
}
