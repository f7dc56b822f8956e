/** Connects to all arguments (`[address]:port` or an abstract name with an @) at once, and says as JSON what came back. */
import { connect } from 'node:net'

const PATIENCE = 1200

const answers = await Promise.all(process.argv.slice(2).map(ask))
process.stdout.write(JSON.stringify(answers))

/** @returns what the server says, or why there is none */
async function ask(target: string): Promise<string> {
  const match = /^\[(.*)\]:(\d+)$/.exec(target)
  const socket = match
    ? connect({ host: match[1] ?? '', port: Number(match[2]) })
    : connect(`\0${target.slice(1)}`)
  const timer = setTimeout(() => socket.destroy(new Error('no answer')), PATIENCE)
  try {
    return Buffer.concat(await socket.toArray()).toString()
  } catch (cause) {
    return cause instanceof Error ? `failed: ${cause.message}` : 'failed'
  } finally {
    clearTimeout(timer)
  }
}
