import { type ContainerRecord, hostnameOf } from '#engine/model'

/** An address of a container, and what it is called. */
export type HostLine = readonly [address: string, ...names: readonly string[]]

/** What a container's /etc/hosts says. */
export interface HostsInput {
  /** What `host-gateway` stands for. */
  readonly gateway: string
  /** Containers that it is linked to. */
  readonly links: readonly HostLine[]
  /** Its own addresses, of each version. */
  readonly addresses: readonly string[]
}

const BASE: readonly HostLine[] = [
  ['127.0.0.1', 'localhost'],
  ['::1', 'localhost', 'ip6-localhost', 'ip6-loopback'],
  ['fe00::', 'ip6-localnet'],
  ['ff00::', 'ip6-mcastprefix'],
  ['ff02::1', 'ip6-allnodes'],
  ['ff02::2', 'ip6-allrouters'],
]

/** The text of a container's /etc/hosts. */
export function hostsText(record: ContainerRecord, input: HostsInput): string {
  const { gateway, links, addresses } = input
  const own = addresses.map((address): HostLine => [address, ...namesOf(record)])
  return textOf([...BASE, ...extraHosts(record, gateway), ...links, ...own])
}

/** The text where a container has the host's network: the host's own, and what it asks for besides. */
export function hostsBeside(hostText: string, record: ContainerRecord, gateway: string): string {
  const separator = hostText === '' || hostText.endsWith('\n') ? '' : '\n'
  return `${hostText}${separator}${textOf(extraHosts(record, gateway))}`
}

function extraHosts({ hostConfig }: ContainerRecord, gateway: string): readonly HostLine[] {
  return (hostConfig.ExtraHosts ?? []).flatMap((text): readonly HostLine[] => {
    const [, name = '', address = ''] = /^([^:=]+)[:=](.*)$/.exec(text) ?? []
    const found = address === 'host-gateway' ? gateway : address.replace(/^\[(.*)\]$/, '$1')
    return name === '' || found === '' ? [] : [[found, name]]
  })
}

function namesOf({ id, config }: ContainerRecord): readonly string[] {
  const { Domainname = '' } = config
  const name = hostnameOf(id, config)
  return Domainname === '' ? [name] : [`${name}.${Domainname}`, name]
}

function textOf(lines: readonly HostLine[]): string {
  return lines.map(([address, ...names]) => `${address}\t${names.join(' ')}\n`).join('')
}
