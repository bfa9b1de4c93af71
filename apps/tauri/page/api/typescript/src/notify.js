/** Tell listeners. One that throws must not cost the events that follow, so its error is thrown where nobody waits. */
export function notify(listeners, said) {
    for (const listener of listeners) {
        try {
            listener(said);
        }
        catch (error) {
            queueMicrotask(() => {
                throw error;
            });
        }
    }
}
