/**
 * A program that tests with testcontainers, in the network of an engine: `REDIS-IMAGE`. It leaves a container behind, as
 * one that is killed does, and prints what it found as JSON.
 */
import { once } from 'node:events'
import { connect } from 'node:net'
import { GenericContainer, Network, Wait } from 'testcontainers'

const [image = ''] = process.argv.slice(2)

/** What redis answers to commands that are sent at once; the last one is QUIT. */
async function answers(host: string, port: number, commands: readonly string[]): Promise<string> {
  const socket = connect(port, host)
  let seen = ''
  socket.on('data', (data) => {
    seen += data
  })
  await once(socket, 'connect')
  socket.write([...commands, 'QUIT', ''].join('\r\n'))
  await once(socket, 'close')
  return seen
}

await using network = await new Network().start()
const redis = await new GenericContainer(image)
  .withExposedPorts(6379)
  .withNetwork(network)
  .withNetworkAliases('store')
  .withCopyContentToContainer([{ content: 'copied', target: '/tmp/copied' }])
  // That of ports runs tools in the container which the image has not.
  .withWaitStrategy(Wait.forLogMessage(/Ready to accept/))
  .withEnvironment({ A: 'b' })
  .start()
const answered = await answers(redis.getHost(), redis.getMappedPort(6379), [
  'PING',
  'SET key value',
  'GET key',
])
const other = await new GenericContainer(image)
  .withNetwork(network)
  .withWaitStrategy(Wait.forLogMessage(/Ready to accept/))
  .start()
const asked = await other.exec(['redis-cli', '-h', 'store', 'GET', 'key'])
await other.stop()
const copied = await redis.exec(['sh', '-c', 'read x < /tmp/copied; echo $x'])
const env = await redis.exec(['sh', '-c', 'echo $A'])
await redis.restart()
const again = await answers(redis.getHost(), redis.getMappedPort(6379), ['PING'])
const result = {
  answered,
  asked: asked.output.trim(),
  copied: copied.output,
  env: [env.output, env.exitCode],
  again,
}
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0))
