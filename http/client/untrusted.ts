import type { TLSSocket } from 'node:tls'
import { networkCode } from '../errors.ts'
import { dialThrough } from '../proxy/dial.ts'
import type { ProxyServer } from '../proxy/proxy-server.ts'

const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])
/** Milliseconds: it only makes an error clearer. */
const PATIENCE = 5_000

/** Whether a connection failed because an authority is missing. */
export function isUntrusted(error: unknown): boolean {
  return UNTRUSTED.has(networkCode(error) ?? '')
}

/** `error`, with whose certificate it is about and who has signed that, asked for on a connection that sends nothing. */
export async function withCertificate(
  error: unknown,
  origin: URL,
  proxy: ProxyServer | undefined,
): Promise<unknown> {
  const seen = await peerCertificate(origin, proxy).catch(() => undefined)
  if (seen === undefined || !(error instanceof Error)) return error
  return new Error(`${error.message} (the certificate is ${seen})`, { cause: error })
}

async function peerCertificate(
  origin: URL,
  proxy: ProxyServer | undefined,
): Promise<string | undefined> {
  const { connect } = await import('node:tls')
  const target = {
    host: origin.hostname.replace(/^\[|\]$/g, ''),
    port: Number(origin.port || 443),
  }
  const signal = AbortSignal.timeout(PATIENCE)
  const way = proxy === undefined ? target : { socket: await dialThrough(proxy, target, signal) }
  const isAddress = /^[\d.]+$|:/.test(target.host)
  const name = isAddress ? {} : { servername: target.host }
  const socket = connect({ ...way, ...name, rejectUnauthorized: false })
  try {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    socket.once('secureConnect', resolve)
    socket.on('error', reject)
    signal.addEventListener('abort', reject)
    await promise
    return described(socket)
  } finally {
    socket.destroy()
  }
}

function described(socket: TLSSocket): string {
  const { subject, issuer, fingerprint256 } = socket.getPeerCertificate()
  const [whose, signer] = [subject, issuer].map((name) => one(name?.CN ?? name?.O) ?? 'unnamed')
  const by = whose === signer ? 'signed by itself' : `signed by "${signer}"`
  return `"${whose}", ${by}, sha256 ${fingerprint256.replaceAll(':', '').slice(0, 16).toLowerCase()}…`
}

function one(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value[0] : value
}
