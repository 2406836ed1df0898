// What the scenarios of the official suite expect to find: names and texts are the suite's, the rest is ours.

/** A red picture of one pixel. */
export const IMAGE = {
  data: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==',
  mimeType: 'image/png',
};
/** A sound without samples. */
export const AUDIO = { data: 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=', mimeType: 'audio/wav' };

export const text = (value) => ({ type: 'text', text: value });
export const textResult = (value) => ({ content: [text(value)] });
export const image = { type: 'image', ...IMAGE };
export const userMessage = (content) => ({ role: 'user', content });

/** An object schema with these properties, all of them required unless `required` says otherwise. */
export const object = (properties, required = Object.keys(properties)) => ({ type: 'object', properties, required });

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
