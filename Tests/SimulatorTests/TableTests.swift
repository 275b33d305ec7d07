import Foundation
import Testing

/// The table of `Safety.md` is true: what it names is there.
struct TableTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The source of every suite, by the name of its file.
    private func suites() throws -> [String: String] {
        let tests = Self.root.appendingPathComponent("Tests")
        let files = FileManager.default.enumerator(at: tests, includingPropertiesForKeys: nil)
        var sources: [String: String] = [:]
        while let file = files?.nextObject() as? URL {
            guard file.pathExtension == "swift" else { continue }
            let name = file.deletingPathExtension().lastPathComponent
            sources[name, default: ""] += try String(contentsOf: file, encoding: .utf8)
        }
        return sources
    }

    private func rows(of page: String) throws -> [(number: Int, tests: String)] {
        let text = try String(
            contentsOf: Self.root.appendingPathComponent(page), encoding: .utf8)
        let table = text.components(separatedBy: "| row |").dropFirst().first ?? ""
        return table.split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 3, let number = Int(cells[0]) else { return nil }
            return (number, cells[2])
        }
    }

    @Test(
        "every test that a table names is there",
        arguments: [
            "Sources/PaxosSimulator/PaxosSimulator.docc/Safety.md",
            "CSources/CPaxosHost/JOURNAL.md",
        ])
    func names_areThere(page: String) throws {
        let suites = try suites()
        for row in try rows(of: page) {
            let names = row.tests.split(separator: "`").filter { name in
                name.split(separator: ".").first?.hasSuffix("Tests") == true
            }
            #expect(!names.isEmpty || row.tests.contains("the story of row \(row.number)"))
            for name in names {
                let parts = name.split(separator: ".")
                let source = try #require(suites[String(parts[0])], "row \(row.number): \(name)")
                if parts.count > 1 {
                    #expect(source.contains("func \(parts[1])("), "row \(row.number): \(name)")
                }
            }
            if row.tests.contains("StoryTests") || row.tests.contains("the story of row") {
                let runtime = Self.root.appendingPathComponent("Tests/CRuntimeModel/stories.c")
                let stories = try String(contentsOf: runtime, encoding: .utf8)
                #expect(stories.contains("\"row \(row.number): "))
            }
        }
    }

    @Test("every row that this stage can show is in the table, in order, once")
    func rows_areComplete() throws {
        let numbers = try rows(of: "Sources/PaxosSimulator/PaxosSimulator.docc/Safety.md")
            .map(\.number)
        #expect(numbers == [Int](1...20) + [24] + [Int](31...43))
    }
}
