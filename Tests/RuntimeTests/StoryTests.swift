import CRuntimeModel
import PaxosCore
import Testing

/// Nodes on loopback with real sockets, files and disks that fail.
@Suite(.serialized)
struct StoryTests {
    @Test("what was decided is delivered, the same everywhere", arguments: StoryTests.names)
    func story_endsWell(name: String) throws {
        let index = try #require(Self.names.firstIndex(of: name))
        let wrong = runtime_story_run(UInt32(index)).map { String(cString: $0) }
        #expect(wrong == nil)
    }

    static let names = (0..<runtime_story_count()).map {
        String(cString: runtime_story_name($0))
    }
}
