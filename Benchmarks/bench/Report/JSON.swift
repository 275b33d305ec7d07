extension Row {
    /// One JSON object, on one line.
    var json: String {
        """
        {"name": \(Row.quoted(name)), "value": \(Row.number(value)), \
        "unit": \(Row.quoted(unit.rawValue)), "limit": \(Row.number(limit)), \
        "spread": \(Row.number(spread))}
        """
    }

    /// Four digits that count are more than any measurement here has.
    private static func number(_ number: Double) -> String {
        guard number.isFinite else { return "null" }
        return abs(number) >= 100 ? Figure.fixed(number, 0) : Figure.fixed(number, 4)
    }

    /// The names hold nothing that JSON would have escaped but these two.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for character in text {
            if character == "\"" || character == "\\" { quoted += "\\" }
            quoted.append(character)
        }
        return quoted + "\""
    }
}
