import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** What the probe wrote: value by fact. */
export type Facts = ReadonlyMap<string, string>

/** How the facts of a step tell what is the host's. */
export interface Host {
  /** `major:minor` of the file systems that are mounted on it. */
  readonly devices: ReadonlySet<string>
  /** `pid:[4026531836]` of its namespaces. */
  readonly namespaces: ReadonlySet<string>
}

/** The host, or the container, that this process is in. */
export function thisHost(): Host {
  return hostOf(readFileSync('/proc/self/mountinfo', 'utf8'))
}

/**
 * What was the host's at `earlier` and is still. A file system that a step gave back in between
 * has left its number to the next one that the host mounts.
 */
export function hostSince(earlier: Host): Host {
  const { devices, namespaces } = thisHost()
  return {
    devices: new Set([...devices].filter((device) => earlier.devices.has(device))),
    namespaces,
  }
}

/** The same with other mounts: `mounts` is what a process there reads of its /proc/self/mountinfo. */
export function hostOf(mounts: string): Host {
  const kinds = readdirSync('/proc/self/ns')
  return {
    devices: new Set(mounts.split('\n').map((line) => line.split(' ')[2] ?? '')),
    namespaces: new Set(kinds.map((kind) => readlinkSync(`/proc/self/ns/${kind}`))),
  }
}

/**
 * Reads the lines of the probe. Numbers that differ from step to step become `own` or `host`; of
 * several lines about one fact, the values are joined.
 */
export function readFacts(text: string, host: Host): Facts {
  const facts = new Map<string, string>()
  for (const line of text.split('\n').filter((line) => line !== '')) {
    const at = line.indexOf(': ')
    if (at < 0) throw new Error(`the probe wrote ${JSON.stringify(line)}`)
    const fact = line.slice(0, at)
    const value = settled(fact, line.slice(at + 2), host)
    const before = facts.get(fact)
    facts.set(fact, before === undefined ? value : `${before}, ${value}`)
  }
  return facts
}

function settled(fact: string, value: string, host: Host): string {
  if (fact.startsWith('namespace ') && value.includes('[')) {
    return host.namespaces.has(value) ? 'host' : 'own'
  }
  if (/^mount .* device$/.test(fact)) return host.devices.has(value) ? 'host' : 'own'
  // The same map in fewer blanks.
  return value.replace(/\s+/g, ' ').trim()
}
