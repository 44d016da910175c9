/**
 * As many unary calls as grpc-js makes: a server in this process, two client processes with some calls in flight each.
 * `node grpc-ping.mjs <output> <calls>`. Every call carries a few bytes there and back.
 */
import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';

const CLIENTS = 2;
const IN_FLIGHT = 8;

const asItIs = (bytes) => bytes;
const ping = {
  path: '/Ping/Ping',
  requestStream: false,
  responseStream: false,
  requestSerialize: asItIs,
  requestDeserialize: asItIs,
  responseSerialize: asItIs,
  responseDeserialize: asItIs,
};

function serve(calls, output) {
  const server = new grpc.Server();
  let answered = 0;
  server.addService({ ping }, { ping: ({ request }, answer) => answer(null, request, void answered++) });
  server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    let open = CLIENTS;
    for (let index = 0; index < CLIENTS; index++) {
      const client = fork(fileURLToPath(import.meta.url), ['client', String(port), String(calls / CLIENTS)]);
      client.once('exit', (code) => {
        if (code !== 0) throw new Error(`a client ended with ${code}`);
        if (--open > 0) return;
        writeFileSync(output, `${answered}\n`);
        server.forceShutdown();
      });
    }
  });
}

async function call(port, calls) {
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  const request = Buffer.from('task 4711 is done');
  const once = () =>
    new Promise((resolve, reject) =>
      client.makeUnaryRequest(ping.path, asItIs, asItIs, request, (error) =>
        error ? reject(error) : resolve(),
      ),
    );
  let left = calls;
  const lane = async () => {
    while (left-- > 0) await once();
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  client.close();
  process.disconnect();
}

const [first, second, third] = process.argv.slice(2);
if (first === 'client') await call(second, Number(third));
else serve(Number(second), first);
