import type { Session } from '../support/session.ts'

const PROGRAM = `
import docker, io, json, tarfile
client = docker.from_env()
def say(name, value): print(name, json.dumps(value, sort_keys=True))
say('ping', client.ping())
say('run', client.containers.run('busybox', 'echo hello', remove=True).decode())
box = client.containers.run('busybox', 'sleep 600', detach=True, name='box', labels={'a': 'b'}, environment=['E=f'])
box.reload()
say('status', [box.status, box.name, box.labels, box.image.tags != []])
code, output = box.exec_run(['sh', '-c', 'echo $E; exit 3'])
say('exec', [code, output.decode()])
code, (out, err) = box.exec_run(['sh', '-c', 'echo out; echo err >&2'], demux=True)
say('demux', [code, out.decode(), err.decode()])
data = io.BytesIO()
with tarfile.open(fileobj=data, mode='w') as tar:
    info = tarfile.TarInfo('put'); info.size = 4; tar.addfile(info, io.BytesIO(b'text'))
say('put', box.put_archive('/tmp', data.getvalue()))
stream, stat = box.get_archive('/tmp/put')
say('get', [stat['name'], stat['size'], stat['mode'], stat['linkTarget'], len(b''.join(stream)) % 512])
socket = box.attach_socket(params={'stdin': 1, 'stream': 1}); socket.close()
say('stats', sorted(box.stats(stream=False).keys() & {'cpu_stats', 'memory_stats', 'networks', 'pids_stats', 'name', 'id', 'read'}))
say('top', box.top()['Titles'])
try: client.containers.run('busybox', 'sh -c "echo failed >&2; exit 4"', remove=True)
except docker.errors.ContainerError as error: say('failed', [error.exit_status, error.stderr.decode()])
try: client.containers.get('no-such-container')
except docker.errors.NotFound as error: say('missing', error.explanation)
try: client.containers.create('no-such-image')
except docker.errors.ImageNotFound as error: say('image', error.explanation)
image, log = client.images.build(fileobj=io.BytesIO(b'FROM busybox\\nRUN echo built > /built\\nLABEL a=b\\n'), tag='built:1', rm=True)
say('build', [image.tags, image.labels, len([line for line in log if 'stream' in line])])
say('built', client.containers.run('built:1', 'cat /built', remove=True).decode())
net = client.networks.create('net', driver='bridge'); net.connect(box, aliases=['alias'])
box.reload(); say('networks', sorted(box.attrs['NetworkSettings']['Networks']))
net.disconnect(box); net.remove()
volume = client.volumes.create('vol', labels={'x': 'y'}); say('volume', [volume.name, volume.attrs['Labels']]); volume.remove()
say('logs', [line for line in client.containers.create('busybox').logs(stream=True)])
box.stop(timeout=0); say('wait', box.wait())
say('events', [e['Action'] for e in client.events(since=0, until=1, decode=True)])
say('push', json.loads(client.images.push('127.0.0.1:5000/no/such').splitlines()[-1]))
say('prune', sorted(client.containers.prune()))
say('rmi', client.images.remove('built:1'))
`

/** Debian's docker-py. */
export const DOCKER_PY: Session = {
  name: 'docker-py',
  steps: [`cat > program.py << 'END'${PROGRAM}END`, 'python3 program.py'],
}
