import type { Session } from '../support/session.ts'

/** The end of an application: its last service, its networks and volumes. */
export const WORKER = `  worker:
    image: busybox
    command: sh -c "trap 'exit 0' TERM; echo begun; while :; do sleep 0.1; done"
    depends_on: [store]
    labels: {role: worker}
    networks: [inner]
    restart: unless-stopped
networks: {inner: {}, outer: {}}
volumes: {data: {}}
`

const APPLICATION = `
version: "2.4"
services:
  store:
    image: busybox
    command: httpd -f -p 80 -h /data
    volumes: ["data:/data"]
    healthcheck: {test: "wget -qO- http://127.0.0.1/ready", interval: 200ms, timeout: 2s, retries: 50}
    networks: {inner: {aliases: [kept]}}
  web:
    build: {context: ./web, args: {GREETING: hello}}
    depends_on: {store: {condition: service_healthy}}
    ports: ["8001:80"]
    environment: {A: b}
    networks: [inner, outer]
    stop_grace_period: 1s
${WORKER}`

/** The Dockerfile of its service `web`. */
export const WEB = `
FROM busybox
ARG GREETING
RUN mkdir /site && echo \${GREETING} > /site/index.html
COPY page /site/page
CMD ["httpd", "-f", "-p", "80", "-h", "/site"]
`

/** An application of three services. */
export const COMPOSE: Session = {
  name: 'compose',
  steps: [
    `mkdir -p app/web && cd app && echo page > web/page && cat > docker-compose.yml << 'END'${APPLICATION}END\ncat > web/Dockerfile << 'END'${WEB}END`,
    'cd app && docker-compose config -q',
    'cd app && docker-compose build --quiet 2>&1 | grep -v "^web uses" | sed "s,  [0-9]*B$,,"',
    'docker volume create app_data > /dev/null; docker run --rm -v app_data:/data busybox touch /data/ready',
    'cd app && docker-compose up -d 2>&1 | sort',
    'cd app && docker-compose ps',
    'docker ps --format "{{.Names}} {{.Image}} {{.Status}} {{.Ports}}" | sort',
    'docker network ls --format "{{.Name}} {{.Label \\"com.docker.compose.network\\"}}" --filter label=com.docker.compose.project=app | sort',
    'wget -qO- http://127.0.0.1:8001/; wget -qO- http://127.0.0.1:8001/page',
    'cd app && docker-compose exec -T worker nslookup -type=a kept | grep -c Address',
    'cd app && docker-compose exec -T web sh -c "echo \\$A; wget -qO- http://store/ready && echo reached"',
    'cd app && docker-compose exec -T worker sh -c "exit 9"',
    'docker inspect app_web_1 -f "{{json .Config}}" | sed "s/config-hash\\":\\"[0-9a-f]*/config-hash\\":\\"HASH/"',
    'docker inspect app_worker_1 -f "{{json .HostConfig}}"',
    'cd app && docker-compose up -d --scale worker=3 2>&1 | sort',
    'cd app && docker-compose ps -q worker | wc -l',
    'cd app && docker-compose logs --no-color worker | grep begun | sort',
    'cd app && docker-compose restart -t 1 web 2>&1',
    'wget -qO- http://127.0.0.1:8001/page',
    'cd app && docker-compose top worker | grep -c "while :"',
    'cd app && docker-compose port web 80',
    'cd app && docker-compose run --rm -T worker echo once 2>/dev/null',
    'cd app && docker-compose pause worker 2>&1 | sort; docker-compose unpause worker 2>&1 | sort',
    'cd app && docker-compose kill -s TERM worker 2>&1 | sort',
    'cd app && docker-compose images | sed "s/ *[0-9.]* MB *$//" | sort',
    'cd app && docker-compose up -d --scale worker=1 2>&1 | sort',
    'cd app && docker-compose stop -t 1 2>&1 | sort',
    'cd app && docker-compose ps',
    'cd app && docker-compose start 2>&1 | sort',
    'cd app && docker-compose rm -sf worker 2>&1 | sort',
    'cd app && docker-compose down -t 1 2>&1 | sort',
    'docker ps -aq; docker network ls -q --filter label=com.docker.compose.project=app; docker volume ls -q',
    'cd app && docker-compose down -v --rmi local 2>&1 | sort; docker volume ls -q',
  ],
}
