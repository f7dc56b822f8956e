#!/bin/sh
':' /* This line and those up to the end of the comment are for the shell.
# Node forgets at its start which signals nohup or a script had it ignore, so that has to be found out
# before: the last digit of the mask has the bit of SIGHUP.
TSBUILD_IGNORE_HUP=
while read -r name mask; do
  case $name$mask in SigIgn:*[13579bdf]) TSBUILD_IGNORE_HUP=1 ;; esac
done 2>/dev/null </proc/self/status
export TSBUILD_IGNORE_HUP
exec node "$0" "$@"
*/
// Starts tsbuild. Plain JavaScript of 2018, so that an old Node gets as far as the message below;
// everything else is compiled to dist/. Node 12 knows neither the prefix `node:` nor `?.`.
import module from 'module'

// An import would read every export of `fs`, and some of these load a good part of Node.
const require = module.createRequire(import.meta.url)
const fs = require('fs')
const path = require('path')
const url = require('url')

// Node's default for this signal is to open a debugger port, which would run the code of any process that connects.
process.on('SIGUSR1', () => undefined)

// Pieces of requests are buffers outside of the heap. A young generation that has grown, as it does while the engine is
// loaded, is collected so seldom that a large upload has the whole heap collected every 64 MB.
if (process.argv[2] === 'serve') require('v8').setFlagsFromString('--semi-space-growth-factor=1')

const self = url.fileURLToPath(import.meta.url)
const home = path.dirname(path.dirname(self))
const [major, minor] = process.versions.node.split('.').map(Number)

// Since these versions `node:zlib` has zstd. See `engines` in package.json.
const oldest = major === 23 ? [23, 10] : [22, 15]

if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) start()
else startWithNewerNode()

function start() {
  const main = path.join(home, 'dist', 'bundle', 'main.js')
  if (!fs.existsSync(main)) {
    fail(`tsbuild is not compiled yet: run npm ci in ${home}`)
    return
  }
  require(main).main(process.argv.slice(2))
}

/** The Node that `npm ci` put beside the source, or a plain sentence. */
function startWithNewerNode() {
  const newer = path.join(home, 'node_modules', 'node', 'bin', 'node')
  if (process.env.TSBUILD_NODE === newer || !fs.existsSync(newer)) {
    const needed = oldest.join('.')
    fail(
      `tsbuild needs Node.js ${needed} or newer; this is ${process.versions.node} (${process.execPath})`,
    )
    return
  }
  const env = Object.assign({}, process.env, { TSBUILD_NODE: newer })
  const argv = [self].concat(process.argv.slice(2))
  const stdio = inheritedDescriptors()
  const child = require('child_process').spawn(newer, argv, { stdio, env })
  passOn(child, newer)
}

/** The standard ones, and those that the command line names, as `<(command)` does: /dev/fd/63. */
function inheritedDescriptors() {
  const stdio = ['inherit', 'inherit', 'inherit']
  for (const [, digits] of process.argv.join('\n').matchAll(/\/fd\/(\d{1,3})(?!\d)/g)) {
    const descriptor = Number(digits)
    if (!fs.existsSync(`/proc/self/fd/${descriptor}`)) continue
    while (stdio.length <= descriptor) stdio.push('ignore')
    stdio[descriptor] = descriptor
  }
  return stdio
}

/** Makes this process look like `child`: signals go in, the exit code comes out. */
function passOn(child, program) {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  // Ctrl-C on a terminal reaches the child by itself, and a second one would end it at once.
  const reaches = (signal) => signal !== 'SIGTERM' && process.stderr.isTTY === true
  const isIgnored = (signal) => signal === 'SIGHUP' && process.env.TSBUILD_IGNORE_HUP === '1'
  for (const signal of signals) {
    process.on(signal, () => isIgnored(signal) || reaches(signal) || child.kill(signal))
  }
  child.on('error', (error) => fail(`cannot start ${program}: ${error.message}`))
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code)
    for (const name of signals) process.removeAllListeners(name)
    process.kill(process.pid, signal)
  })
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exitCode = 1
}
