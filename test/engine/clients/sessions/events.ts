import type { Session } from '../support/session.ts'

const SINCE = '--since "$(cat since)" --until "$(date +%s.%N)"'

/** What the engine says that happened. */
export const EVENTS: Session = {
  name: 'events',
  steps: [
    'sleep 0.01; date +%s.%N > since',
    'docker run --name one -l a=b -v data:/data busybox sh -c "exit 3"',
    `docker events ${SINCE} --format "{{.Type}} {{.Action}} {{index .Actor.Attributes \\"name\\"}} {{index .Actor.Attributes \\"exitCode\\"}}" | sort`,
    `docker events ${SINCE} --filter event=die --format "{{json .}}"`,
    `docker events ${SINCE} --filter event=create --filter type=container --format "{{json .}}"`,
    `docker events ${SINCE} --filter event=connect --format "{{json .}}"`,
    `docker events ${SINCE} --filter type=volume --format "{{json .}}"`,
    `docker events ${SINCE} --filter label=a=b --filter event=start`,
    `docker events ${SINCE} --filter container=one --format "{{.Action}}"`,
    `docker events ${SINCE} --filter container=two --format "{{.Action}}"`,
    'sleep 0.01; date +%s.%N > since',
    'docker start one; docker wait one; docker rename one two; docker rm two; docker volume rm data',
    `docker events ${SINCE} --format "{{.Type}} {{.Action}} {{index .Actor.Attributes \\"name\\"}}" | sort`,
    'sleep 0.01; date +%s.%N > since',
    'docker run -d --name box busybox sleep 600; docker exec box true; docker exec box sh -c "exit 4"; docker pause box; docker unpause box; docker update --cpu-shares 512 box; docker kill box; docker wait box; docker restart -t 0 box; docker stop -t 0 box; docker rm box',
    // Docker tells a stop before or after the end.
    `docker events ${SINCE} --filter type=container --format "{{.Action}} {{index .Actor.Attributes \\"signal\\"}} {{index .Actor.Attributes \\"exitCode\\"}}" | sed "s/exec_create.*true/exec_create true/;s/exec_start.*true/exec_start true/;/^stop/d;/pause/d"; docker events ${SINCE} --filter event=stop --format "{{.Action}}"`,
    // Debian's dockerd says these twice when its machine is busy.
    `docker events ${SINCE} --filter event=pause --filter event=unpause --format "{{.Action}}" | sort -u`,
    'sleep 0.01; date +%s.%N > since',
    'docker tag busybox tagged:1; docker rmi tagged:1; docker network create net; docker network rm net; docker create --name made busybox; docker cp made:/etc/passwd - > /dev/null; docker export made > /dev/null; docker commit made committed > /dev/null; docker rm made; docker rmi committed > /dev/null',
    `docker events ${SINCE} --format "{{.Type}} {{.Action}} {{index .Actor.Attributes \\"name\\"}}"`,
    `docker events ${SINCE} --filter type=network --format "{{json .}}"`,
    `docker events ${SINCE} --filter type=image --filter event=tag`,
    'docker events --since nonsense',
    'docker events --filter nonsense=1 --until 1',
    '(sleep 0.5; docker run --rm --name live busybox true) & timeout 3 docker events --filter container=live --format "{{.Action}}" | sed "/destroy/q"; wait',
  ],
}
