import CPaxos

/// A message sequence diagram of the last events of a world, as a page of HTML with one drawing.
///
/// Time runs down, one row an event; a lane is a node. An arrow goes from where a frame left to
/// where it arrived, and ends in a cross where it was lost. Point at anything to read what it is.
package struct Diagram {
    private static let lane = 230
    private static let row = 22
    private static let left = 150
    private static let top = 70

    private let title: String
    private let subtitle: [String]
    private let nodes: Int
    private let events: [Trace.Event]
    private var body = ""

    package init(
        title: String, subtitle: [String], nodes: Int, events: [Trace.Event]
    ) {
        self.title = title
        self.subtitle = subtitle
        self.nodes = nodes
        self.events = events
    }

    package func html() -> String {
        var copy = self
        return copy.page()
    }

    private var width: Int { Self.left + nodes * Self.lane + 40 }
    private var height: Int { Self.top + (events.count + 2) * Self.row }
    private func x(_ node: UInt16) -> Int {
        Self.left + (Int(node) - 1) * Self.lane + Self.lane / 2
    }
    private func y(_ index: Int) -> Int { Self.top + (index + 1) * Self.row }

    private mutating func page() -> String {
        drawLanes()
        drawArrows()
        for (index, event) in events.enumerated() { draw(event, index) }
        let lines = subtitle.map { "<li>\(escaped($0))</li>" }.joined(separator: "\n")
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>\(escaped(title))</title>
            <style>\(Self.style)</style></head><body>
            <h1>\(escaped(title))</h1>
            <ul>\(lines)</ul>
            <p class="legend">\(legend)</p>
            <svg width="\(width)" height="\(height)" viewBox="0 0 \(width) \(height)" \
            xmlns="http://www.w3.org/2000/svg">
            <defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" \
            markerHeight="7" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="context-stroke"/>\
            </marker></defs>
            \(body)</svg></body></html>
            """
    }

    private static let style = """
        body { font: 14px/1.5 system-ui, sans-serif; margin: 2em; color: #1d2430; }
        h1 { font-size: 20px; } ul { color: #465064; } .legend span { margin-right: 1.2em; }
        svg { font: 11px ui-monospace, monospace; } line.life { stroke: #c9d1de; }
        line.down { stroke: #d33; stroke-width: 3; stroke-dasharray: 3 4; }
        text.time { fill: #8a94a6; text-anchor: end; } text.node { font: 600 14px system-ui; }
        text { paint-order: stroke; stroke: #fff; stroke-width: 3px; }
        .arrow { fill: none; stroke-width: 1.5; } .lost { stroke-dasharray: 4 3; }
        """

    /// Phase 1, phase 2, decided, election, clients.
    private static let colours: [(name: String, colour: String, kinds: ClosedRange<UInt8>)] = [
        ("phase 1", "#7a3fc2", 1...3), ("phase 2", "#1668c7", 4...5), ("decided", "#168a4a", 6...6),
        ("heartbeats", "#b3bac7", 7...8), ("catching up", "#b07200", 9...10),
        ("forwards", "#c2366b", 11...12),
    ]

    private static func colour(_ kind: UInt8) -> String {
        colours.first { $0.kinds.contains(kind) }?.colour ?? "#1d2430"
    }

    private var legend: String {
        Self.colours.map { "<span style=\"color:\($0.colour)\">&#9473; \($0.name)</span>" }.joined()
            + "<span>&#9632; record</span><span>&#9679; delivery</span><span>&#10005; lost</span>"
    }

    private mutating func drawLanes() {
        for node in 1...UInt16(nodes) {
            body += "<line class=\"life\" x1=\"\(x(node))\" y1=\"\(Self.top)\" "
            body += "x2=\"\(x(node))\" y2=\"\(height - 10)\"/>\n"
            body += "<text class=\"node\" x=\"\(x(node))\" y=\"\(Self.top - 20)\" "
            body += "text-anchor=\"middle\">node \(node)</text>\n"
        }
        var downSince: [UInt16: Int] = [:]
        for (index, event) in events.enumerated() {
            if event.text == Trace.powerCut { downSince[event.node] = index }
            if event.text.hasPrefix("restart"), let from = downSince.removeValue(forKey: event.node)
            {
                drawDown(event.node, from, index)
            }
        }
        for node in downSince.keys.sorted() { drawDown(node, downSince[node]!, events.count) }
    }

    private mutating func drawDown(_ node: UInt16, _ from: Int, _ to: Int) {
        body += "<line class=\"down\" x1=\"\(x(node))\" y1=\"\(y(from))\" "
        body += "x2=\"\(x(node))\" y2=\"\(y(to))\"/>\n"
    }

    /// Each sending with the first arrival of the same frame behind it.
    private mutating func drawArrows() {
        var used: Set<Int> = []
        for (index, event) in events.enumerated() {
            guard case .sent(let to, let arrives) = event.kind else { continue }
            let arrival = events.indices.dropFirst(index).first { other in
                guard case .received(let from, _) = events[other].kind else { return false }
                return events[other].checksum == event.checksum && from == event.node
                    && events[other].node == to && !used.contains(other)
            }
            if let arrival { used.insert(arrival) }
            drawArrow(event, index, to, arrival, isLost: arrives == nil)
        }
    }

    private mutating func drawArrow(
        _ event: Trace.Event, _ index: Int, _ to: UInt16, _ arrival: Int?, isLost: Bool
    ) {
        let colour = Self.colour(event.frameKind)
        let (startX, startY) = (x(event.node), y(index))
        let isOpen = arrival == nil
        let part = isOpen ? 45 : 100
        let endX = startX + (x(to) - startX) * part / 100
        let endY = arrival.map { y($0) } ?? startY + Self.row
        let kind = isOpen ? "arrow lost" : "arrow"
        let marker = isLost ? "" : " marker-end=\"url(#head)\""
        body += "<path class=\"\(kind)\" stroke=\"\(colour)\"\(marker) "
        body += "d=\"M\(startX),\(startY) L\(endX),\(endY)\">"
        body += "<title>\(escaped(event.text))</title></path>\n"
        if isLost {
            body += "<text x=\"\(endX)\" y=\"\(endY + 4)\" text-anchor=\"middle\" "
            body += "fill=\"\(colour)\">&#10005;</text>\n"
        }
        if event.frameKind == 7 || event.frameKind == 8 { return }
        let anchor = endX > startX ? "start" : "end"
        let textX = startX + (endX > startX ? 8 : -8)
        body += "<text x=\"\(textX)\" y=\"\(startY - 3)\" text-anchor=\"\(anchor)\" "
        body += "fill=\"\(colour)\">\(escaped(Self.short(event.text)))</text>\n"
    }

    /// "sends ACCEPT ballot 3.2 slot 7+1 decided 6 to 1": what stands between the first word and "to".
    private static func short(_ text: String) -> String {
        var words = text.split(separator: " ").dropFirst()
        if let to = words.lastIndex(of: "to") { words = words[..<to] }
        return words.filter { $0 != "ballot" && $0 != "slot" }.joined(separator: " ")
    }

    private mutating func draw(_ event: Trace.Event, _ index: Int) {
        let lineY = y(index)
        body += "<text class=\"time\" x=\"\(Self.left - 20)\" y=\"\(lineY + 4)\">"
        body += "\(milliseconds(event.time_ns))</text>\n"
        switch event.kind {
        case .sent: return
        case .received(_, let status):
            if status != 0 { label(event, lineY, "#8a94a6", event.text.components(after: ": ")) }
        case .fault:
            body += "<text x=\"\(Self.left)\" y=\"\(lineY + 4)\" fill=\"#d33\" font-weight=\"600\">"
            body += "\(escaped(event.text))</text>\n"
        case .wrote: mark(event, lineY, "&#9632;", "#5d6778")
        case .flushed: mark(event, lineY, "&#9633;", "#5d6778")
        case .delivered: mark(event, lineY, "&#9679;", "#168a4a")
        case .told, .proposed: mark(event, lineY, "&#9670;", "#c2366b")
        case .note: mark(event, lineY, "&#9888;", "#d33")
        }
    }

    private mutating func mark(
        _ event: Trace.Event, _ lineY: Int, _ symbol: String, _ colour: String
    ) {
        let at = event.node == 0 ? Self.left : x(event.node)
        body += "<text x=\"\(at)\" y=\"\(lineY + 4)\" text-anchor=\"middle\" fill=\"\(colour)\">"
        body += "\(symbol)<title>\(escaped(event.text))</title></text>\n"
        label(event, lineY, colour, event.text)
    }

    private mutating func label(
        _ event: Trace.Event, _ lineY: Int, _ colour: String, _ text: String
    ) {
        let at = (event.node == 0 ? Self.left : x(event.node)) + 10
        body += "<text x=\"\(at)\" y=\"\(lineY + 4)\" fill=\"\(colour)\">\(escaped(text))</text>\n"
    }

    private func escaped(_ text: String) -> String {
        var out = ""
        for character in text {
            switch character {
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "&": out += "&amp;"
            default: out.append(character)
            }
        }
        return out
    }
}

extension String {
    /// What stands behind the last `separator`; all of it, if there is none.
    fileprivate func components(after separator: String) -> String {
        var rest = Substring(self)
        while let found = rest.firstRange(of: separator) { rest = rest[found.upperBound...] }
        return String(rest)
    }
}
