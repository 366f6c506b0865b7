import { createServer } from 'node:http'
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'

/** @tus/server with its file store, as its manual has it: `node tus-peer.ts FOLDER PORT`. */
const [directory = '', port = ''] = process.argv.slice(2)
const tus = new Server({ path: '/files', datastore: new FileStore({ directory }) })
createServer((request, response) => void tus.handle(request, response)).listen(Number(port), '127.0.0.1')
