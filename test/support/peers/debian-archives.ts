import { readFileSync } from 'node:fs'
import { capture, run } from './process.ts'

/** Where this machine's Debian comes from, as mmdebstrap takes it. */
export interface DebianArchives {
  /** Code name: `bookworm`. */
  readonly release: string
  /** Lines of sources.list(5). */
  readonly sources: string
  /** Settings of apt. */
  readonly settings: readonly string[]
}

/** @throws {Error} on a machine that is not a Debian, or has no archive of it */
export async function debianArchives(): Promise<DebianArchives> {
  const release = /^VERSION_CODENAME=(.+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
  if (release === undefined) throw new Error('this needs a Debian machine')
  return { release, sources: await debianSources(), settings: await aptSettings() }
}

/** This machine's Debian archives in the one-line format; other vendors' archives are left out. */
async function debianSources(): Promise<string> {
  const format = '$(ORIGIN)|deb $(REPO_URI) $(RELEASE) $(COMPONENT)'
  const list = () => run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'])
  const pick = (text: string) =>
    text.split('\n').flatMap((line) => (line.startsWith('Debian|') ? [line.slice(7)] : []))
  let sources = pick((await list()).stdout)
  if (sources.length === 0) {
    await run('apt-get', ['update', '-q'])
    sources = pick((await list()).stdout)
  }
  if (sources.length === 0) throw new Error('apt on this machine knows no Debian archive')
  return `${[...new Set(sources)].join('\n')}\n`
}

/** Settings without which apt does not reach its mirrors: proxies, and what it says of clocks. */
async function aptSettings(): Promise<string[]> {
  const { stdout } = await capture('apt-config', ['dump', 'Acquire'])
  const wanted = /^Acquire::(https?::Proxy|Check-Valid-Until|Check-Date)\b.* "[^"]+";$/
  return stdout.split('\n').filter((line) => wanted.test(line))
}
