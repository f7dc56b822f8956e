import type { SecureContextOptions } from 'node:tls'
import type { HostCertificates } from '../certificates.ts'
import type { Environment } from '../variables.ts'
import { systemAuthorities } from './system-store.ts'

/**
 * What a connection trusts and shows: besides Node's own authorities, which have those of `NODE_EXTRA_CA_CERTS`,
 * the machine's and the host's.
 */
export async function tlsOptions(
  environment: Environment,
  { authorities, clients }: HostCertificates,
): Promise<SecureContextOptions> {
  const { getCACertificates } = await import('node:tls')
  const own = getCACertificates('default')
  const trusted = { ca: [...own, ...systemAuthorities(environment), ...authorities] }
  if (clients.length === 0) return trusted
  return { ...trusted, cert: clients.map(({ cert }) => cert), key: clients.map(({ key }) => key) }
}
