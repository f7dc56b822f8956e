/**
 * Signatures of results and of links: with them only those who have the key decide what a step has given, and
 * not everyone who may write to a cache. Each result is signed by itself, so that other writers can merge it.
 */
import { sign, verify } from 'node:crypto'
import type { CacheKey } from '#cache'
import { canonicalJson, chunkedAnnotations, type Descriptor, type Json } from '#core'
import { digestFor, openPrivateKey, openPublicKey, readKey } from '#signing'
import type { RecordSet } from './record-set.ts'
import type { SharedBlob, SharedLink, SharedResult } from './shared-result.ts'

/** Signs what is published. */
export interface Signer {
  /** Signs all of a set, in place. */
  sign(records: RecordSet): void
}

/** Says what is trusted. */
export interface Verifier {
  /** The result with those of its blobs that are signed; `undefined`: none is. */
  trusted(result: SharedResult): SharedResult | undefined
  isTrustedLink(key: CacheKey, link: SharedLink): boolean
}

/** @throws {TsbuildError} USAGE, NOT_FOUND, PERMISSION_DENIED for a file without a private key */
export function openSigner(file: string): Signer {
  const key = openPrivateKey(readKey(file))
  const signed = (document: Json): string =>
    sign(digestFor(key), bytesOf(document), key).toString('base64')
  return {
    sign: ({ results, links }) => {
      for (const [name, result] of results) {
        const { layer } = result
        const [first, ...others] = layer.blobs
        const add = (blob: SharedBlob): SharedBlob => ({
          ...blob,
          signature: signed(resultDocument(result, blob)),
        })
        const blobs = [add(first), ...others.map(add)] as const
        results.set(name, { ...result, layer: { ...layer, blobs } })
      }
      for (const [name, link] of links) {
        links.set(name, { ...link, signature: signed(linkDocument(name, link)) })
      }
    },
  }
}

/** @throws {TsbuildError} USAGE, NOT_FOUND, PERMISSION_DENIED for a file without a public key */
export function openVerifier(file: string): Verifier {
  const key = openPublicKey(readKey(file))
  const isSigned = (document: Json, signature: string | undefined): boolean =>
    signature !== undefined &&
    verify(digestFor(key), bytesOf(document), key, Buffer.from(signature, 'base64'))
  return {
    trusted: (result) => {
      const { layer } = result
      const [first, ...others] = layer.blobs.filter((blob) =>
        isSigned(resultDocument(result, blob), blob.signature),
      )
      return first && { ...result, layer: { ...layer, blobs: [first, ...others] } }
    },
    isTrustedLink: (name, link) => isSigned(linkDocument(name, link), link.signature),
  }
}

/** What a step has given: nothing else of a result changes what is built. */
function resultDocument(
  { key, layer: { diffId, size, presumed } }: SharedResult,
  { mediaType, digest, size: bytes, ...said }: Descriptor,
): Json {
  const blob = { mediaType, digest, size: bytes, ...chunkedAnnotations(said) }
  const owners = (presumed ?? null) as unknown as Json
  return ['tsbuild cache result', 1, key, diffId, size, owners, blob]
}

function linkDocument(key: CacheKey, { target }: SharedLink): Json {
  return ['tsbuild cache link', 1, key, target]
}

function bytesOf(document: Json): Buffer {
  return Buffer.from(canonicalJson(document))
}
