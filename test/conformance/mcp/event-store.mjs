/** The events of one session in order of sending, so that a client that lost a stream can have the rest of it (SEP-1699). */
export function eventStore() {
  const events = [];
  return {
    storeEvent: async (streamId, message) => {
      events.push({ streamId, message });
      return String(events.length - 1);
    },
    replayEventsAfter: async (lastEventId, { send }) => {
      const last = Number(lastEventId);
      const streamId = events[last]?.streamId ?? '';
      for (const [index, event] of events.entries()) {
        const isMessage = Object.keys(event.message ?? {}).length > 0;
        if (index > last && event.streamId === streamId && isMessage) await send(String(index), event.message);
      }
      return streamId;
    },
  };
}
