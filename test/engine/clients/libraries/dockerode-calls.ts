import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { json, text } from 'node:stream/consumers'
import type Docker from 'dockerode'
import { pack } from 'tar-stream'

/** An endpoint by what dockerode calls it, and a call that gives its body. */
type Call = readonly [name: string, call: (docker: Docker) => Promise<unknown>]

const BUSYBOX = '127.0.0.1:5000/busybox'

/** Calls in order, each of another endpoint or with other parameters. */
export const CALLS: readonly Call[] = [
  ['GET /_ping', (docker) => docker.ping()],
  ['GET /version', (docker) => docker.version()],
  ['GET /info', (docker) => docker.info()],
  ['POST /images/create', async (docker) => await followed(await docker.pull(BUSYBOX))],
  ['POST /images/create of nothing', async (docker) => await docker.pull(`${BUSYBOX}:no-such-tag`)],
  ['GET /images/json', (docker) => docker.listImages()],
  [
    'GET /images/json with filters',
    (docker) => docker.listImages({ filters: { reference: ['x'] } }),
  ],
  ['GET /images/NAME/json', (docker) => docker.getImage('busybox').inspect()],
  ['GET /images/NAME/json of nothing', (docker) => docker.getImage('no-such-image').inspect()],
  ['GET /images/NAME/history', (docker) => docker.getImage('busybox').history()],
  ['GET /distribution/NAME/json', (docker) => docker.getImage(BUSYBOX).distribution()],
  [
    'POST /images/NAME/tag',
    (docker) => docker.getImage('busybox').tag({ repo: '127.0.0.1:5000/mine', tag: '1' }),
  ],
  [
    'POST /images/NAME/push',
    async (docker) => {
      const image = docker.getImage('127.0.0.1:5000/mine')
      const messages = await followed(await image.push({ tag: '1', authconfig: {} }))
      // Layers are mounted from any repository that has them.
      return messages.map(({ status, ...others }) => ({
        ...others,
        ...(status === undefined ? {} : { status: status.replace(/^(Mounted from) .*/, '$1') }),
      }))
    },
  ],
  [
    'GET /images/search',
    (docker) => docker.searchImages({ term: '127.0.0.1:5002/word', limit: 2 }),
  ],
  [
    'POST /auth',
    (docker) =>
      docker.checkAuth({ username: 'me', password: 'secret', serveraddress: '127.0.0.1:5001' }),
  ],
  [
    'POST /auth with a wrong password',
    (docker) =>
      docker.checkAuth({ username: 'me', password: 'wrong', serveraddress: '127.0.0.1:5001' }),
  ],
  [
    'POST /build',
    async (docker) => {
      const dockerfile = 'FROM busybox\nRUN echo built > /built\nLABEL a=b\n'
      return await followed(
        await docker.buildImage(tarOf('Dockerfile', dockerfile), { t: 'built:1' }),
      )
    },
  ],
  [
    'GET /images/NAME/get, POST /images/load',
    async (docker) => {
      const saved = await docker.getImage('built:1').get()
      return await followed(await docker.loadImage(saved))
    },
  ],
  ['DELETE /images/NAME', (docker) => docker.getImage('127.0.0.1:5000/mine:1').remove()],
  ['DELETE /images/NAME of nothing', (docker) => docker.getImage('no-such-image').remove()],
  ['POST /images/prune', (docker) => docker.pruneImages({ filters: { label: ['none'] } })],
  [
    'POST /volumes/create',
    async (docker) => (await docker.createVolume({ Name: 'kept', Labels: { a: 'b' } })).name,
  ],
  ['GET /volumes', (docker) => docker.listVolumes()],
  ['GET /volumes/NAME', (docker) => docker.getVolume('kept').inspect()],
  [
    'POST /networks/create',
    async (docker) => {
      const config = { Driver: 'default', Config: [{ Subnet: '10.79.0.0/24' }] }
      return (await docker.createNetwork({ Name: 'net', IPAM: config, Labels: { a: 'b' } })).id
    },
  ],
  ['GET /networks', (docker) => docker.listNetworks({ filters: { name: ['net'] } })],
  [
    'POST /containers/create',
    async (docker) => {
      const box = await docker.createContainer({
        name: 'box',
        Image: 'busybox',
        Cmd: ['sh', '-c', 'echo begun; trap "exit 8" TERM; while :; do sleep 0.1; done'],
        Env: ['E=f'],
        Labels: { a: 'b' },
        ExposedPorts: { '80/tcp': {} },
        HostConfig: {
          Binds: ['kept:/data'],
          PortBindings: { '80/tcp': [{ HostPort: '8003' }] },
          Memory: 64 << 20,
          CapAdd: ['SYS_TIME'],
          ExtraHosts: ['other:10.1.2.3'],
          Tmpfs: { '/mem': 'size=1m' },
        },
      })
      return { id: box.id }
    },
  ],
  [
    'POST /containers/create of no image',
    (docker) => docker.createContainer({ Image: 'no-such-image' }),
  ],
  [
    'POST /containers/create with a taken name',
    (docker) => docker.createContainer({ name: 'box', Image: 'busybox' }),
  ],
  ['GET /containers/ID/json, created', (docker) => docker.getContainer('box').inspect()],
  [
    'PUT /containers/ID/archive',
    async (docker) =>
      await docker.getContainer('box').putArchive(tarOf('put', 'text'), { path: '/' }),
  ],
  ['POST /containers/ID/start', (docker) => docker.getContainer('box').start()],
  ['POST /containers/ID/start again', (docker) => docker.getContainer('box').start()],
  [
    'POST /networks/ID/connect',
    (docker) =>
      docker.getNetwork('net').connect({
        Container: 'box',
        EndpointConfig: { Aliases: ['alias'], IPAMConfig: { IPv4Address: '10.79.0.9' } },
      }),
  ],
  ['GET /containers/ID/json, running', (docker) => docker.getContainer('box').inspect()],
  ['GET /networks/ID', (docker) => docker.getNetwork('net').inspect()],
  ['GET /containers/json', (docker) => docker.listContainers({ all: true })],
  [
    'GET /containers/ID/top',
    async (docker) => {
      const { Titles, Processes } = await docker
        .getContainer('box')
        .top({ ps_args: '-eo pid,user' })
      return { Titles, some: Processes.length > 0 }
    },
  ],
  [
    'GET /containers/ID/logs',
    async (docker) => {
      const bytes = await docker.getContainer('box').logs({ stdout: true, stderr: true })
      return { bytes: bytes.toString('hex') }
    },
  ],
  [
    'GET /containers/ID/stats',
    async (docker) => shapeOf(await docker.getContainer('box').stats({ stream: false })),
  ],
  [
    'HEAD, GET /containers/ID/archive',
    async (docker) => {
      const box = docker.getContainer('box')
      const { length } = await text(await box.getArchive({ path: '/put' }))
      return { length, info: statIn(await box.infoArchive({ path: '/put' })) }
    },
  ],
  [
    'GET /containers/ID/archive of nothing',
    (docker) => docker.getContainer('box').getArchive({ path: '/no-such-file' }),
  ],
  [
    'GET /containers/ID/changes',
    async (docker) => {
      const changes = await docker.getContainer('box').changes()
      return changes.toSorted((a: { Path: string }, b: { Path: string }) =>
        a.Path < b.Path ? -1 : 1,
      )
    },
  ],
  [
    'GET /containers/ID/export',
    async (docker) => ({
      some: (await text(await docker.getContainer('box').export())).length > 0,
    }),
  ],
  [
    'POST /containers/ID/exec, POST /exec/ID/start, GET /exec/ID/json',
    async (docker) => {
      const exec = await docker.getContainer('box').exec({
        Cmd: ['sh', '-c', 'cat; sleep 0.3; echo err >&2; exit 3'],
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        Env: ['X=y'],
      })
      const stream = await exec.start({ hijack: true, stdin: true })
      stream.end('typed\n')
      const output = await text(stream)
      return { output: Buffer.from(output).toString('hex'), ended: await exec.inspect() }
    },
  ],
  [
    'POST /exec/ID/start, detached',
    async (docker) => {
      const exec = await docker.getContainer('box').exec({ Cmd: ['sleep', '600'], Tty: true })
      const body = await exec.start({ Detach: true, Tty: true })
      return { body: await text(body), running: (await exec.inspect()).Running }
    },
  ],
  ['POST /containers/ID/resize', (docker) => docker.getContainer('no-such').resize({ h: 1, w: 1 })],
  [
    'POST /containers/ID/update',
    (docker) => docker.getContainer('box').update({ Memory: 128 << 20, MemorySwap: 128 << 20 }),
  ],
  ['POST /containers/ID/rename', (docker) => docker.getContainer('box').rename({ name: 'other' })],
  ['POST /containers/ID/pause', (docker) => docker.getContainer('other').pause()],
  ['POST /containers/ID/unpause', (docker) => docker.getContainer('other').unpause()],
  ['POST /containers/ID/restart', (docker) => docker.getContainer('other').restart({ t: 2 })],
  [
    'POST /commit',
    async (docker) => {
      const made = await docker
        .getContainer('other')
        .commit({ repo: 'made', tag: '1', changes: 'USER 7' })
      return { made, config: (await docker.getImage('made:1').inspect()).Config.User }
    },
  ],
  [
    'POST /containers/ID/attach',
    async (docker) => {
      const cat = await docker.createContainer({
        name: 'cat',
        Image: 'busybox',
        // What it writes has a size on every file system.
        Cmd: ['sh', '-c', 'echo text > /written; cat'],
        OpenStdin: true,
        StdinOnce: true,
      })
      const options = { stream: true, hijack: true, stdin: true, stdout: true, stderr: true }
      const stream = await cat.attach(options)
      await cat.start()
      stream.end('through\n')
      return { output: Buffer.from(await text(stream)).toString('hex'), ended: await cat.wait() }
    },
  ],
  ['POST /containers/ID/stop', (docker) => docker.getContainer('other').stop({ t: 3 })],
  ['POST /containers/ID/stop again', (docker) => docker.getContainer('other').stop()],
  ['POST /containers/ID/kill', (docker) => docker.getContainer('other').kill()],
  ['POST /containers/ID/wait', (docker) => docker.getContainer('other').wait()],
  ['GET /containers/ID/json, ended', (docker) => docker.getContainer('other').inspect()],
  [
    'POST /networks/ID/disconnect',
    (docker) => docker.getNetwork('net').disconnect({ Container: 'other' }),
  ],
  ['GET /system/df', async (docker) => shapeOf(await docker.df())],
  ['DELETE /volumes/NAME in use', (docker) => docker.getVolume('kept').remove()],
  ['DELETE /containers/ID', (docker) => docker.getContainer('other').remove({ v: true })],
  ['POST /containers/prune', async (docker) => shapeOf(await docker.pruneContainers())],
  ['DELETE /volumes/NAME', (docker) => docker.getVolume('kept').remove()],
  ['POST /volumes/prune', (docker) => docker.pruneVolumes()],
  ['DELETE /networks/ID', (docker) => docker.getNetwork('net').remove()],
  ['POST /networks/prune', (docker) => docker.pruneNetworks()],
  [
    'GET /events',
    async (docker) => {
      const filters = { event: ['rename'] }
      const until = Math.ceil(Date.now() / 1000)
      return await json(await docker.getEvents({ since: until - 600, until, filters }))
    },
  ],
  ['GET /swarm', (docker) => docker.swarmInspect()],
  ['GET /services', (docker) => docker.listServices()],
  ['GET /plugins', (docker) => docker.listPlugins()],
  ['DELETE /images/NAME of what was made', (docker) => docker.getImage('made:1').remove()],
]

interface Message {
  readonly status?: string
  readonly progressDetail?: object
}

/** The messages of a progress stream, without those that say how far something is. */
async function followed(stream: NodeJS.ReadableStream): Promise<readonly Message[]> {
  const lines = (await text(stream)).trim().split(/\r?\n/)
  const messages: Message[] = lines.map((line) => JSON.parse(line))
  return messages.filter(({ progressDetail = {} }) => Object.keys(progressDetail).length === 0)
}

/** What the header of a response says of a file, but for its time. */
function statIn({ headers }: Pick<IncomingMessage, 'headers'>): unknown {
  const value = `${headers['x-docker-container-path-stat']}`
  return { ...JSON.parse(Buffer.from(value, 'base64').toString()), mtime: 'any' }
}

function tarOf(name: string, content: string): Readable {
  const tar = pack()
  tar.entry({ name }, content)
  tar.finalize()
  return Readable.from(tar)
}

/** A document whose numbers say only of what they are. */
function shapeOf(value: unknown): unknown {
  if (typeof value === 'number') return '<number>'
  if (Array.isArray(value)) return value.map(shapeOf)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shapeOf(item)]))
}
