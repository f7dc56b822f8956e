import { mkdirSync } from 'node:fs'
import { timeProgram } from '../measure/program.ts'
import type { Beside } from './workload.ts'

/** The least that any program for Node.js takes. */
export const BARE_NODE: Beside = {
  name: 'node -e 0',
  prepare: async () => ({
    name: BARE_NODE.name,
    perform: async () => void timeProgram(process.execPath, ['-e', '0']),
  }),
}

/** Unpacks the layer of the Debian base, each time to another folder. */
export const UNPACKING: Beside = {
  name: 'tar xzf',
  prepare: async (bench) => {
    const blob = await bench.layer('debian')
    let target = ''
    return {
      name: UNPACKING.name,
      before: async (turn) => {
        target = bench.file(`unpacked-${turn}`)
        mkdirSync(target)
      },
      perform: async () => void timeProgram('tar', ['xzf', blob, '-C', target]),
    }
  },
}
