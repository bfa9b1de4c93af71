/** Tell listeners. One that throws must not cost the events that follow, so its error is thrown where nobody waits. */
export declare function notify<T>(listeners: Iterable<(said: T) => void>, said: T): void;
