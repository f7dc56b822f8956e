import type { Session } from '../support/session.ts'

/** What the engine says of itself, and removing what nothing needs. */
export const SYSTEM: Session = {
  name: 'system',
  steps: [
    'docker version',
    'docker version --format "{{json .Server}}"',
    'docker version --format "{{.Server.Os}}/{{.Server.Arch}} {{.Server.APIVersion}}"',
    // Docker has runtimes and networks of registries in no order.
    'docker info | sed -E "s/io.containerd.runc.v2 runc$/runc io.containerd.runc.v2/;/^ +(::1.128|127.0.0.0.8)$/d"',
    'docker info --format "{{json .}}"',
    'docker system df',
    'docker run --name done -v data:/data busybox sh -c "echo 12345 > /file; echo x > /data/file"',
    'docker run -d --name up busybox sleep 600',
    'docker network create unused > /dev/null; docker volume create idle',
    'docker ps --size --all --format "{{.Names}} {{.Size}}"',
    // Docker has volumes in no order, too.
    'docker system df | sed "s/([0-9]*%)/PERCENT/"',
    'docker system df -v | sed -E "s/ [0-9.]+k?B / BYTES /g" | sort -k 2',
    'docker system df --format "{{.Type}} {{.TotalCount}} {{.Active}}"',
    'docker container prune -f --filter label=none',
    'docker container prune -f',
    'docker system prune -f | sed "s/[0-9.]*B$/BYTES/"',
    'docker network ls --format "{{.Name}}"; docker volume ls -q',
    'docker tag busybox unused:1; docker image prune -af --filter label=none',
    'docker system prune -f --volumes | tail -1; docker volume ls -q',
    'docker rm -f up',
    'docker volume prune -f --filter label=none',
    'docker builder prune -f',
    'docker swarm init --advertise-addr 127.0.0.1 --data-path-port no',
    'docker node ls',
    'docker service ls',
    'docker secret ls',
    'docker config ls',
    'docker plugin ls',
    'docker stack ls',
    'docker no-such-command',
  ],
}
