/** A server that says the word that is its first argument to all who connect, on the ports that follow. */
import { once } from 'node:events'
import { createServer } from 'node:net'

const [word = '', ...ports] = process.argv.slice(2)
for (const port of ports) {
  const server = createServer((socket) => socket.end(word))
  // Abstract names begin with an @ here, as in /proc/net/unix.
  if (port.startsWith('@')) server.listen(`\0${port.slice(1)}`)
  else server.listen(Number(port), '::')
  await once(server, 'listening')
}
process.stdout.write('ready to greet\n')
