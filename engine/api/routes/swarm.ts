import type { FastifyInstance } from 'fastify'

const NOT_A_MANAGER =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.'

const KINDS = ['services', 'tasks', 'nodes', 'secrets', 'configs']

/** Answers as a daemon that is in no swarm. */
export function swarmRoutes(app: FastifyInstance): void {
  const refuse = { status: 503, message: NOT_A_MANAGER }
  const paths = [
    ...KINDS.flatMap((kind) => [`/${kind}`, `/${kind}/*`]),
    ...['/swarm', '/swarm/update', '/swarm/unlock', '/swarm/unlockkey'],
  ]
  for (const url of paths) {
    app.all(url, async (_request, reply) => {
      await reply.status(refuse.status).send({ message: refuse.message })
    })
  }
  app.post('/swarm/leave', async (_request, reply) => {
    await reply.status(503).send({ message: 'This node is not part of a swarm' })
  })
  for (const url of ['/swarm/init', '/swarm/join']) {
    app.post(url, async (_request, reply) => {
      await reply.status(501).send({ message: 'this daemon runs containers of one machine only' })
    })
  }
  app.get('/plugins', async () => await Promise.resolve([]))
}
