import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Lab, startLab } from '../../../support/networks/index.ts'
import type { HubFacts } from './hub-process.ts'

const PROCESS = fileURLToPath(new URL('./hub-process.js', import.meta.url))

/** A hub on the host of a lab. */
export interface LabHub extends AsyncDisposable {
  readonly facts: HubFacts
  /** Ends its builder without a chance to clean up. */
  kill(): Promise<void>
}

/** A lab in which every host greets, and hubs are opened. */
export class HubLab implements AsyncDisposable {
  readonly lab: Lab

  constructor(lab: Lab) {
    this.lab = lab
  }

  static async start(): Promise<HubLab> {
    const hubLab = new HubLab(await startLab())
    await Promise.all([
      hubLab.lab.greet('host', '53', '@of-the-host'),
      hubLab.lab.greet('world'),
      hubLab.lab.greet('neighbour'),
    ])
    return hubLab
  }

  /** Opens a hub with as many networks of steps. */
  async open(steps: number): Promise<LabHub> {
    const daemon = await this.lab.start('host', [process.execPath, PROCESS, `${steps}`])
    return {
      facts: JSON.parse(daemon.ready) as HubFacts,
      kill: async () => {
        process.kill(daemon.pid, 'SIGKILL')
        await daemon[Symbol.asyncDispose]()
      },
      [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
    }
  }

  /** What there is of hubs on the host: links, rules, and what forwards. */
  async traces(): Promise<Readonly<Record<'links' | 'rules' | 'forwarding', string>>> {
    return {
      links: await this.lab.must('host', ['sh', '-c', 'ip -o link | grep tsbuild || true']),
      rules: await this.lab.must('host', ['nft', 'list', 'ruleset']),
      forwarding: await this.lab.must('host', ['sh', '-c', FORWARDING]),
    }
  }

  /** The kernel removes links some time after their namespace. */
  async untilNothingIsLeft(): Promise<void> {
    for (let turn = 0; turn < 60; turn++) {
      if (Object.values(await this.traces()).every((trace) => trace === '')) return
      await delay(50)
    }
    assert.deepEqual(await this.traces(), { links: '', rules: '', forwarding: '' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab[Symbol.asyncDispose]()
  }
}

const FORWARDING =
  'grep -H . /proc/sys/net/ipv4/conf/*/forwarding /proc/sys/net/ipv6/conf/*/*forwarding | grep -v ":0$" || true'
