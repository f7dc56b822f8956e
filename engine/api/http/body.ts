import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { readDocument, type Shape, TsbuildError } from '#core'
import { upgradeOf } from './upgrade.ts'

/** Bytes of a document that a request may have. */
const MOST = 4 * 1024 * 1024

/** Reads the document of a request; none is an empty one. @throws {TsbuildError} USAGE */
export async function readBody<T>(request: FastifyRequest, shape: Shape<T>): Promise<T> {
  const bytes = await readBytes(request.raw)
  if (bytes.length === 0 || bytes.toString().trim() === '') return shape.empty
  return readDocument(bytes, shape, { what: 'JSON', code: 'USAGE' })
}

/** @throws {TsbuildError} USAGE when there is a body, and it is not empty */
export async function refuseBody(request: FastifyRequest): Promise<void> {
  const bytes = await readBytes(request.raw)
  if (bytes.length === 0 || bytes.toString().trim() === '{}') return
  throw new TsbuildError('starting container with non-empty request body was deprecated', {
    code: 'USAGE',
  })
}

/** Reads past the body of a request that takes its connection: what comes behind it is no part of it. */
export async function skipBody({ raw }: FastifyRequest): Promise<void> {
  if (raw.headers['content-length'] !== undefined) await upgradeOf(raw)?.body(MOST)
}

async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const upgrade = upgradeOf(request)
  if (upgrade !== undefined) return await upgrade.body(MOST)
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MOST) throw tooLargeError()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** The failure to read a document that is too large. */
function tooLargeError(): TsbuildError {
  return new TsbuildError(`request body too large: more than ${MOST} bytes`, { code: 'USAGE' })
}
