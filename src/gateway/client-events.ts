import type { Server } from '@modelcontextprotocol/server';
import type { SessionEvent } from './exchange.ts';

/** Tells the client of a connection one event, as the notification that MCP has for it. */
export function tellEvent(server: Server, event: SessionEvent): Promise<void> {
  switch (event.kind) {
    case 'updated':
      return server.notification({ method: 'notifications/resources/updated', params: { uri: event.uri } });
    case 'log':
      return server.notification({ method: 'notifications/message', params: { ...event.message } });
    case 'tools':
      return server.notification({ method: 'notifications/tools/list_changed' });
    case 'prompts':
      return server.notification({ method: 'notifications/prompts/list_changed' });
    case 'resources':
      return server.notification({ method: 'notifications/resources/list_changed' });
  }
}
