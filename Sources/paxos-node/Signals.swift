import Dispatch
import Foundation

/// Calls a function when the process is asked to end; asked twice, it does at once.
struct Signals {
    private let sources: [any DispatchSourceSignal]

    init(_ ended: @escaping @Sendable () -> Void) {
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            var count = 0
            source.setEventHandler {
                count += 1
                if count > 1 { _exit(128 + number) }  // it waits for what nobody reads
                ended()
            }
            source.resume()
            return source
        }
        signal(SIGPIPE, SIG_IGN)
    }

    func cancel() { sources.forEach { $0.cancel() } }
}
