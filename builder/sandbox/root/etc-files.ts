import { networkInterfaces } from 'node:os'
import { parseResolvConf } from '#builder/network'
import { HOST_GATEWAY } from '#core'

/** Files of /etc that belong to the step and not to the image. */
export interface EtcFiles {
  readonly hosts: string
  readonly hostname: string
  readonly resolvConf: string
}

/** What the files say. */
export interface EtcOptions {
  readonly hostname: string
  readonly extraHosts: readonly (readonly [host: string, address: string])[]
  /** What stands for `host-gateway` in them. */
  readonly gateway: string
  /** The host's own resolv.conf. */
  readonly resolvConf: string
  /** The servers to ask in a network of the step's own; absent: the host's network. */
  readonly ownServers: readonly string[] | undefined
}

/** The address of loopback. */
export const LOOPBACK = '127.0.0.1'

/** The texts of the files. */
export function etcFiles(options: EtcOptions): EtcFiles {
  const { hostname, extraHosts, gateway } = options
  const lines = [
    `127.0.0.1\tlocalhost ${hostname}`,
    '::1\tlocalhost ip6-localhost ip6-loopback',
    ...extraHosts.map(([host, address]) => {
      return `${address === HOST_GATEWAY ? gateway : address}\t${host}`
    }),
  ]
  return {
    hosts: `${lines.join('\n')}\n`,
    hostname: `${hostname}\n`,
    resolvConf:
      options.ownServers === undefined
        ? options.resolvConf
        : ownResolvConf(options.resolvConf, options.ownServers),
  }
}

/**
 * An address of this machine that a network of a step's own reaches, as it does those of other
 * machines; what listens on loopback only is not reached there.
 */
export function hostAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const outward = all.filter(({ internal }) => !internal)
  const found = outward.find(({ family }) => family === 'IPv4') ?? outward[0]
  return found?.address ?? LOOPBACK
}

/** Search domains and options are those of the host. */
function ownResolvConf(host: string, servers: readonly string[]): string {
  const lines = [
    ...servers.map((server) => `nameserver ${server}`),
    ...parseResolvConf(host).others,
  ]
  return `${lines.join('\n')}\n`
}
