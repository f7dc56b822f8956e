import type { Json } from '#core'
import { usageError } from '#core'
import { pathOf } from '#engine/client'
import { ENGINE_FLAGS } from '../../arguments/common-flags.ts'
import { expectArguments } from '../../arguments/flags.ts'
import { print } from '../../terminal/shell.ts'
import { cleanLine } from '../../terminal/text.ts'
import { withEngine } from '../connect/with-engine.ts'
import type { EngineCommand } from '../definition/command.ts'
import { objectOf, objectsOf } from '../format/json.ts'
import { alignTabs } from '../format/tab-writer.ts'

/** Columns of docker's table of processes. */
const PROCESS_WIDTH = 20

/** `tsbuild top` */
export const TOP: EngineCommand = {
  name: 'top',
  summary: 'List the processes of a container',
  usage: 'tsbuild top CONTAINER [OPTION OF ps…]',
  endsAtFirst: true,
  flags: ENGINE_FLAGS,
  examples: [['tsbuild top web -o pid,args', 'with columns of your choice']],
  run: async (args, shell) => {
    const [name, ...options] = args.positionals
    if (name === undefined) throw usageError('a container has to be named', `usage: ${TOP.usage}`)
    return await withEngine(args, shell, async ({ client }) => {
      const query = { ps_args: options.length === 0 ? undefined : options.join(' ') }
      const { Titles, Processes } = objectOf(
        await client.json({ path: pathOf`/containers/${name}/top`, query }),
      )
      const rows = [Titles, ...(Array.isArray(Processes) ? Processes : [])]
      const lines = rows.map((row) =>
        (Array.isArray(row) ? row : []).map((cell) => cleanLine(String(cell))).join('\t'),
      )
      await print(shell, alignTabs(lines, PROCESS_WIDTH))
      return 0
    })
  },
}

/** `tsbuild port` */
export const PORT: EngineCommand = {
  name: 'port',
  summary: 'List where the ports of a container are published',
  usage: 'tsbuild port CONTAINER [PORT[/PROTOCOL]]',
  flags: ENGINE_FLAGS,
  examples: [],
  run: async (args, shell) => {
    const [name = '', wanted] = expectArguments(args, { least: 1, most: 2, usage: PORT.usage })
    return await withEngine(args, shell, async ({ client }) => {
      const document = objectOf(await client.json({ path: pathOf`/containers/${name}/json` }))
      const ports = objectOf(objectOf(document.NetworkSettings).Ports)
      if (wanted === undefined) {
        const lines = Object.entries(ports).flatMap(([port, bindings]) =>
          addressesOf(bindings).map((address) => `${port} -> ${address}\n`),
        )
        await print(shell, lines.sort(byNumber).join(''))
        return 0
      }
      const port = wanted.includes('/') ? wanted : `${wanted}/tcp`
      const addresses = addressesOf(ports[port])
      if (addresses.length === 0) {
        throw usageError(`no public port '${wanted}' published for ${name}`)
      }
      await print(shell, addresses.map((address) => `${address}\n`).join(''))
      return 0
    })
  },
}

function addressesOf(bindings: Json | undefined): readonly string[] {
  return objectsOf(bindings).map(({ HostIp, HostPort }) => {
    const ip = String(HostIp ?? '')
    return `${ip.includes(':') ? `[${ip}]` : ip}:${HostPort}`
  })
}

function byNumber(a: string, b: string): number {
  const difference = Number.parseInt(a, 10) - Number.parseInt(b, 10)
  return difference === 0 ? Number(a > b) - Number(a < b) : difference
}
